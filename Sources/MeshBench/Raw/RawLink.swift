import CZeroMQ

/// A raw DEALER here and raw ROUTERs in other processes. Everything here blocks: run it on a thread of its own.
final class RawLink: Sendable {
    /// What a small message carries, in bytes.
    static let payload = 32
    private static let window = 1000

    /// The process at the other end, if this one has started it.
    let peer: ChildProcess?
    private let socket: RawSocket

    /// Starts the other process and waits until it answers.
    init(_ transport: BenchTransport, isOneWay: Bool = false) throws {
        let socket = try RawSocket(ZMQ_DEALER)
        let endpoint = try socket.bind(transport.rawEndpoint())
        let role = isOneWay ? HelperRole.sink(endpoint) : .echo([endpoint])
        self.peer = try role.start()
        self.socket = socket
        try socket.send(1)
        try socket.receive()
    }

    /// Takes the near end only; others connect to it.
    init(bound endpoint: String) throws {
        self.socket = try RawSocket(ZMQ_DEALER)
        self.peer = nil
        _ = try self.socket.bind(endpoint)
    }

    deinit { self.peer?.end() }

    /// The processes to pin.
    var processIDs: [Int32] { self.peer.map { [$0.processID] } ?? [] }

    /// The median time of a message there and back, in nanoseconds.
    func roundTrip(for time: Double) throws -> Double {
        var times: [Double] = []
        times.reserveCapacity(1 << 16)
        let end = deadline(in: time)
        var before = now()
        while before < end {
            try self.socket.send(Self.payload)
            try self.socket.receive()
            let after = now()
            times.append(Double(after - before))
            before = after
        }
        times.sort()
        return percentile(times, 0.5)
    }

    /// Messages there and back in a second, with a thousand under way.
    func pipelined(for time: Double) throws -> Double {
        let start = now()
        let end = deadline(in: time)
        for _ in 0..<Self.window { try self.socket.send(Self.payload) }
        var count = Self.window
        while now() < end {
            for _ in 0..<100 {
                try self.socket.receive()
                try self.socket.send(Self.payload)
            }
            count += 100
        }
        for _ in 0..<Self.window { try self.socket.receive() }
        return Double(count) / seconds(since: start)
    }

    /// Messages there and back in a second over several links, with one under way on each.
    static func inTurns(_ links: [RawLink], for time: Double) throws -> Double {
        let start = now()
        let end = deadline(in: time)
        for link in links { try link.socket.send(Self.payload) }
        var count = links.count
        while now() < end {
            for link in links {
                try link.socket.receive()
                try link.socket.send(Self.payload)
            }
            count += links.count
        }
        for link in links { try link.socket.receive() }
        return Double(count) / seconds(since: start)
    }

    /// Messages in a second that nobody answers, up to the last one's arrival.
    func oneWay(for time: Double) throws -> Double {
        let start = now()
        let end = deadline(in: time)
        var count = 0
        while now() < end {
            for _ in 0..<1000 { try self.socket.send(Self.payload) }
            count += 1000
        }
        try self.socket.send(1)
        try self.socket.receive()
        return Double(count) / seconds(since: start)
    }

    /// Large messages there and back in a second, one at a time and without a copy on this side.
    func large(_ size: Int, for time: Double) throws -> Double {
        let start = now()
        let end = deadline(in: time)
        var count = 0
        while now() < end {
            try self.socket.sendInPlace(size)
            let received = try self.socket.receiveInPlace()
            guard received == size else { throw BenchError("a message came back with \(received) bytes") }
            count += 1
        }
        return Double(count) / seconds(since: start)
    }
}
