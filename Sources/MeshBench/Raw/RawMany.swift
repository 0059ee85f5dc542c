import CZeroMQ

/// Two raw callers and two raw peers, a process each; every caller talks to both peers. Everything here blocks.
final class RawMany: Sendable {
    private let callers: [ChildProcess]
    private let peers: [ChildProcess]

    /// Starts them. In each run they call for so many seconds.
    init(_ transport: BenchTransport, count: Int, time: Double) throws {
        let endpoints = (0..<count).map { _ in transport.rawEndpoint() }
        self.callers = try endpoints.map { try HelperRole.caller($0, time: time).start() }
        self.peers = try endpoints.map { _ in try HelperRole.echo(endpoints).start() }
    }

    deinit { for process in self.callers + self.peers { process.end() } }

    /// Messages there and back in a second, all callers together.
    func rate() throws -> Double {
        for caller in self.callers { caller.nudge() }
        return try self.callers.reduce(0) { try $0 + $1.readNumber() }
    }
}
