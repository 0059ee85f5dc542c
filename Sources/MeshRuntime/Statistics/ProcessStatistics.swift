public import MeshCore

/// What one process of a mesh has done since it started, and the actors that live in it.
public struct ProcessStatistics: Hashable, Sendable, Codable {
    /// The process as the mesh knows it.
    public var peer: PeerID
    /// Its number on its host.
    public var processID: Int32
    /// What it is for.
    public var role: Role
    /// The node that it is, or whose worker it is; empty for others.
    public var node: String
    /// How much processor time it has used.
    public var processorTime: Duration
    /// How much of its memory is resident, in bytes.
    public var residentBytes: UInt64
    /// How many bytes it has sent to other processes, and got from them, headers included.
    public var bytesSent: UInt64
    /// See ``bytesSent``.
    public var bytesReceived: UInt64
    /// How often a link to another process had to begin anew.
    public var reconnects: UInt64
    /// Messages that made no sense and were dropped.
    public var messagesRejected: UInt64
    /// Connections that were cut because too many showed no key.
    public var connectionsCut: UInt64
    /// Connections that showed a key which is none of this mesh, or was revoked.
    public var keysRefused: UInt64
    /// How many calls it has made that have not ended.
    public var callsOutstanding: Int
    /// How many tasks run in it.
    public var tasks: Int
    /// The actors that were spawned and live in it.
    public var actors: [ActorStatistics]

    /// What a process is for.
    public enum Role: String, Hashable, Sendable, Codable {
        /// It knows names, actors and nodes; in an embedded mesh it is the program as well.
        case broker
        /// It starts and watches workers.
        case node
        /// Actors and tasks run in it.
        case worker
        /// A program that joined.
        case driver
    }

    package init(
        peer: PeerID, processID: Int32, role: Role, node: String, processorTime: Duration, residentBytes: UInt64,
        bytesSent: UInt64, bytesReceived: UInt64, reconnects: UInt64, messagesRejected: UInt64, connectionsCut: UInt64,
        keysRefused: UInt64, callsOutstanding: Int, tasks: Int, actors: [ActorStatistics]
    ) {
        self.peer = peer
        self.processID = processID
        self.role = role
        self.node = node
        self.processorTime = processorTime
        self.residentBytes = residentBytes
        self.bytesSent = bytesSent
        self.bytesReceived = bytesReceived
        self.reconnects = reconnects
        self.messagesRejected = messagesRejected
        self.connectionsCut = connectionsCut
        self.keysRefused = keysRefused
        self.callsOutstanding = callsOutstanding
        self.tasks = tasks
        self.actors = actors
    }
}

extension ProcessStatistics {
    /// What a process says, as far as it may be believed: all of it with the mesh key. Others speak for themselves alone, are
    /// programs that joined, and have no actors that were spawned; their numbers are held to what can be added up.
    package func said(by peer: PeerID) -> ProcessStatistics {
        guard peer.role != .member else { return self }
        var said = self
        said.peer = peer
        said.role = .driver
        said.node = ""
        said.processorTime = min(max(self.processorTime, .zero), .seconds(Int64(Self.most)))
        for counter in [
            \Self.residentBytes, \.bytesSent, \.bytesReceived, \.reconnects, \.messagesRejected, \.connectionsCut,
            \.keysRefused,
        ] { said[keyPath: counter] = min(self[keyPath: counter], Self.most) }
        for count in [\Self.callsOutstanding, \.tasks] {
            said[keyPath: count] = min(max(self[keyPath: count], 0), Int(Self.most))
        }
        said.actors = []
        return said
    }

    /// More than a process comes to; a thousand times as much still fits.
    private static let most: UInt64 = 1 << 48
}
