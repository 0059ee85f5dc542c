import FoundationEssentials
import Glibc
package import MeshCore
import MeshMessagePack
package import MeshRuntime

/// What a worker process needs to know when it starts; its node puts it into the environment.
package struct WorkerBootstrap: Hashable, Sendable, Codable {
    package var node: PeerAddress
    package var broker: PeerAddress?
    package var token: UInt64
    /// Where to put its socket.
    package var directory: String
    /// Where else to take in messages.
    package var bind: [String]
    /// As what others reach those places: port `*` is the one that was bound.
    package var advertise: [String]
    /// The file of its key; nil in a mesh without one.
    package var keyFile: String?
    /// The keys that were revoked when it was started.
    package var revokedKeys: Set<KeyIdentity>
    /// How it reaches the other processes of its host: as its node does.
    package var localTransport: MeshSettings.LocalTransport
    /// The times by which its node lives.
    package var leaseTime: Duration
    package var heartbeatInterval: Duration

    package static let variable = "ACTORMESH_WORKER"

    package init(
        node: PeerAddress, broker: PeerAddress?, token: UInt64, directory: String, bind: [String],
        advertise: [String] = [],
        keyFile: String? = nil, revokedKeys: Set<KeyIdentity> = [], settings: MeshSettings
    ) {
        self.keyFile = keyFile
        self.revokedKeys = revokedKeys
        self.node = node
        self.broker = broker
        self.token = token
        self.directory = directory
        self.bind = bind
        self.advertise = advertise
        self.localTransport = settings.localTransport
        self.leaseTime = settings.leaseTime
        self.heartbeatInterval = settings.heartbeatInterval
    }

    /// MessagePack in hexadecimal digits.
    package var text: String {
        let data = (try? MessagePackEncoder().encode(self)) ?? Data()
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: data.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    package init(text: String) throws {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        self = try MessagePackDecoder().decode(WorkerBootstrap.self, from: Data(bytes))
    }

    /// The bootstrap of this process; nil when it is no worker. Removed from the environment, so that what the worker
    /// starts is not taken for one.
    package static func take() throws -> WorkerBootstrap? {
        guard let pointer = getenv(Self.variable) else { return nil }
        let text = String(cString: pointer)
        unsetenv(Self.variable)
        return try WorkerBootstrap(text: text)
    }
}
