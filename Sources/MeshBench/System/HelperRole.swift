import ActorMesh
import CZeroMQ
import FoundationEssentials
import Glibc

/// What a process does that helps a measurement: the other ends of raw links, and what needs a fresh process.
enum HelperRole: Codable {
    /// Sends back what comes from endpoints.
    case echo([String])
    /// Swallows what comes from an endpoint.
    case sink(String)
    /// Binds an endpoint, and each time it is nudged sends messages there and back for so many seconds; prints how
    /// many a second.
    case caller(String, time: Double)
    /// Starts a mesh; prints how many milliseconds that took.
    case start

    static let variable = "ACTORMESH_BENCH_HELPER"

    /// The role of this process, if it has one.
    static func take() throws -> HelperRole? {
        guard let pointer = getenv(Self.variable) else { return nil }
        let text = String(cString: pointer)
        unsetenv(Self.variable)
        return try JSONDecoder().decode(HelperRole.self, from: Data(text.utf8))
    }

    /// Plays it until the parent has ended, or it is done.
    func serve() async throws -> Never {
        switch self {
        case .echo(let endpoints):
            ChildProcess.endWithParent()
            let socket = try RawSocket(ZMQ_ROUTER)
            for endpoint in endpoints { try socket.connect(endpoint) }
            try socket.echo()
        case .sink(let endpoint):
            ChildProcess.endWithParent()
            let socket = try RawSocket(ZMQ_ROUTER)
            try socket.connect(endpoint)
            try socket.swallow()
        case .caller(let endpoint, let time):
            let link = try RawLink(bound: endpoint)
            while ChildProcess.waitForNudge() { ChildProcess.answer("\(try link.pipelined(for: time))") }
        case .start:
            ChildProcess.endWithParent()
            let start = now()
            try await withMesh { _ in ChildProcess.answer("\(seconds(since: start) * 1000)") }
        }
        exit(0)
    }

    /// Starts a process that plays it.
    func start() throws -> ChildProcess {
        let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
        return try ChildProcess.own(environment: [Self.variable: text], capturesOutput: true)
    }
}
