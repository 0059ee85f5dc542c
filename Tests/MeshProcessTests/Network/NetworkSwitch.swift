import CMeshPlatform
import Glibc
import MeshCore
import MeshTesting
import Synchronization

/// Carries frames between hosts as badly as it is told.
///
/// What is done to a way concerns what the hosts send each other by IP. Their search for each other's hardware addresses
/// goes through: as with a cut behind the next router, a sender hears nothing.
final class NetworkSwitch: Sendable {
    /// The way from one host to another.
    struct Way: Hashable, Sendable {
        var isCut = false
        /// The part of the frames that is lost, from 0 to 1.
        var loss = 0.0
        /// The part of the frames that comes twice.
        var duplicates = 0.0
        /// How many milliseconds a frame takes; each its own time, so that they overtake each other.
        var delay = 0...0
    }

    /// Two hosts, in the order of what is sent.
    struct Pair: Hashable, Sendable {
        var from: Int
        var to: Int
    }

    private struct Connection: Hashable {
        var ports: UInt32
        var sequence: UInt32
    }

    private struct State {
        var ways: [Pair: Way] = [:]
        var frames: [Pair: Int] = [:]
        var attempts: [Pair: Set<Connection>] = [:]
        var generator: SeededGenerator
        var isEnded = false
    }

    /// Under way: to which wire, and when it comes out.
    private struct Late {
        var due: UInt64
        var wire: Int32
        var frame: [UInt8]
    }

    private let hosts: [NetworkHost]
    private let state: Mutex<State>
    private let wakeUp: LineReader
    private let ended: LineReader

    init(_ hosts: [NetworkHost], seed: UInt64) throws {
        self.hosts = hosts
        self.state = Mutex(State(generator: SeededGenerator(seed: seed)))
        (self.wakeUp, self.ended) = (try LineReader(), try LineReader())
        guard startThread(named: "switch", { self.run() }) else {
            throw MeshError(.systemFailure, "No thread for the switch.")
        }
    }

    /// Changes ways from now on; what is under way stays so.
    func set(_ way: Way, _ pairs: [Pair]) {
        self.state.withLock { state in for pair in pairs { state.ways[pair] = way } }
    }

    /// How many frames of IP were sent from one host to another, those that were lost included.
    func frames(_ pair: Pair) -> Int { self.state.withLock { $0.frames[pair, default: 0] } }

    /// How many connections one host has tried to make to another. One that is asked for again counts once.
    func attempts(_ pair: Pair) -> Int { self.state.withLock { $0.attempts[pair, default: []].count } }

    /// Carries nothing any more.
    func end() async {
        self.state.withLock { $0.isEnded = true }
        self.wakeUp.closeWriting()
        _ = await self.ended.line()
    }

    private func run() {
        defer { self.ended.closeWriting() }
        var late: [Late] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let wires = self.hosts.map { pollfd(fd: $0.wire, events: Int16(POLLIN), revents: 0) }
        var waiting = wires + [pollfd(fd: self.wakeUp.reading, events: Int16(POLLIN), revents: 0)]
        while !self.state.withLock({ $0.isEnded }) {
            let now = cmesh_monotonic_nanoseconds()
            let due = late.partition { $0.due <= now }
            // `partition` keeps no order; those that are due come out by their times.
            for frame in late[due...].sorted(by: { $0.due < $1.due }) { Self.write(frame.frame, to: frame.wire) }
            late.removeSubrange(due...)
            let next = late.map(\.due).min().map { Int32(($0 - now) / 1_000_000 + 1) } ?? -1
            guard poll(&waiting, nfds_t(waiting.count), next) >= 0 || errno == EINTR else { return }
            for (index, host) in self.hosts.enumerated() where waiting[index].revents != 0 {
                while true {
                    let count = read(host.wire, &buffer, buffer.count)
                    guard count > 0 else { break }
                    self.carry(Array(buffer[..<count]), from: host.number, &late)
                }
            }
        }
    }

    private func carry(_ frame: [UInt8], from sender: Int, _ late: inout [Late]) {
        guard frame.count >= 14 else { return }
        // Hardware addresses end in the host's number; those of many hosts begin with an odd byte.
        let isForMany = frame[0] & 1 == 1
        for host in self.hosts where host.number != sender && (isForMany || Int(frame[5]) == host.number) {
            let pair = Pair(from: sender, to: host.number)
            let packet = Packet(frame)
            guard packet.isOfInterest else {
                Self.write(frame, to: host.wire)
                continue
            }
            let times = self.state.withLock { state -> [Int] in
                state.frames[pair, default: 0] += 1
                if let (ports, sequence) = packet.attempt {
                    state.attempts[pair, default: []].insert(Connection(ports: ports, sequence: sequence))
                }
                let way = state.ways[pair] ?? Way()
                guard !way.isCut, Double.random(in: 0..<1, using: &state.generator) >= way.loss else { return [] }
                let isTwice = Double.random(in: 0..<1, using: &state.generator) < way.duplicates
                return (0..<(isTwice ? 2 : 1)).map { _ in Int.random(in: way.delay, using: &state.generator) }
            }
            for time in times {
                guard time > 0 else {
                    Self.write(frame, to: host.wire)
                    continue
                }
                let due = cmesh_monotonic_nanoseconds() + UInt64(time) * 1_000_000
                late.append(Late(due: due, wire: host.wire, frame: frame))
            }
        }
    }

    /// A full wire loses the frame, as wires do.
    private static func write(_ frame: [UInt8], to wire: Int32) { _ = Glibc.write(wire, frame, frame.count) }
}

/// What the switch wants to know of a frame.
private struct Packet {
    /// Whether it carries IP, and not the search for a neighbour.
    var isOfInterest = false
    /// The ports and the sequence number, when it asks for a TCP connection.
    var attempt: (ports: UInt32, sequence: UInt32)?

    init(_ frame: [UInt8]) {
        let content: (header: Int, protocol: UInt8)
        switch (frame[12], frame[13]) {
        case (0x08, 0x00) where frame.count >= 34: content = (14 + Int(frame[14] & 15) * 4, frame[23])
        case (0x86, 0xdd) where frame.count >= 54: content = (54, frame[20])
        default: return
        }
        // ICMPv6, by which neighbours are found.
        guard content.protocol != 58 else { return }
        self.isOfInterest = true
        let start = content.header
        // SYN without ACK.
        guard content.protocol == 6, frame.count >= start + 14, frame[start + 13] & 0x12 == 0x02 else { return }
        self.attempt = (Self.word(frame, start), Self.word(frame, start + 4))
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
