import CZeroMQ
import FoundationEssentials
import Glibc

/// What a process does that is the other end of a raw measurement.
enum RawPeerRole: Codable {
    /// Sends back what comes from an endpoint.
    case echo(String)
    /// Swallows what comes from an endpoint.
    case sink(String)

    static let variable = "ACTORMESH_BENCH_PEER"

    /// The role of this process, if it has one.
    static func take() throws -> RawPeerRole? {
        guard let pointer = getenv(Self.variable) else { return nil }
        let text = String(cString: pointer)
        unsetenv(Self.variable)
        return try JSONDecoder().decode(RawPeerRole.self, from: Data(text.utf8))
    }

    /// Plays it until the parent has ended.
    func serve() throws -> Never {
        ChildProcess.endWithParent()
        let socket = try RawSocket(ZMQ_ROUTER)
        switch self {
        case .echo(let endpoint):
            try socket.connect(endpoint)
            try socket.echo()
        case .sink(let endpoint):
            try socket.connect(endpoint)
            try socket.swallow()
        }
        exit(0)
    }

    /// Starts a process that plays it.
    func start() throws -> ChildProcess {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        return try ChildProcess.own(environment: [Self.variable: text])
    }
}
