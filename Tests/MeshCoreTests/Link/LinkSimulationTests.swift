import DequeModule
import MeshCore
import MeshTransportInProcess
import Testing

@Suite struct LinkSimulationTests {
    @Test("over a network that loses, repeats and reorders, everything arrives once and in order", arguments: 0..<50)
    func exactlyOnce(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let faults = Faults(
            drop: Double.random(in: 0...0.5, using: &generator),
            duplicate: Double.random(in: 0...0.5, using: &generator),
            delay: Double.random(in: 0...1, using: &generator),
            maximumDelay: .milliseconds(Int.random(in: 1...150, using: &generator)))
        var simulation = LinkSimulation(faults: faults, seed: seed)
        let count = 100
        let hasEnded = simulation.run(messages: count)
        #expect(hasEnded, "seed \(seed): it never came to an end")
        #expect(simulation.delivered == Array(1...UInt64(count)), "seed \(seed)")
        #expect(simulation.sender.unacknowledged.isEmpty)
        #expect(simulation.sender.unacknowledgedBytes == 0)
    }

    @Test("over a good network nothing is sent twice")
    func noWaste() {
        var simulation = LinkSimulation(faults: .none, seed: 1)
        let hasEnded = simulation.run(messages: 500)
        #expect(hasEnded)
        #expect(simulation.transmissions == 500)
    }
}

/// A link between two processes in simulated time, with the rules that peers follow: a gap is asked for, a duplicate is
/// acknowledged again, and whoever waits too long asks.
private struct LinkSimulation {
    enum Packet {
        case data(sequence: UInt64)
        case probe(lastSequence: UInt64)
        case acknowledgement(epoch: UInt64, sequence: UInt64, resend: Bool)
    }

    static let millisecond: UInt64 = 1_000_000
    static let timeout = 200 * millisecond

    let faults: Faults
    var generator: SeededGenerator
    var now: UInt64 = 0
    var sender = LinkSender(epoch: 42)
    var receiver = LinkReceiver()
    var delivered: [UInt64] = []
    var transmissions = 0
    /// What is under way, with its time of arrival.
    var network: [(arrival: UInt64, order: Int, packet: Packet)] = []
    var order = 0

    init(faults: Faults, seed: UInt64) {
        self.faults = faults
        self.generator = SeededGenerator(seed: seed &+ 1)
    }

    mutating func run(messages: Int) -> Bool {
        var left = messages
        // Ten simulated minutes are enough for half of everything to be lost.
        while self.now < 600_000 * Self.millisecond {
            self.now += Self.millisecond
            if left > 0, Bool.random(using: &self.generator) {
                left -= 1
                let sequence = self.sender.nextSequence()
                let buffer = WireBuffer()
                buffer.write(sequence)
                self.sender.keep(OutboundMessage(head: buffer), sequence: sequence, at: self.now)
                self.transmit(.data(sequence: sequence))
            }
            self.deliver()
            if self.now % (50 * Self.millisecond) == 0 { self.tick() }
            if left == 0, self.sender.unacknowledged.isEmpty { return true }
        }
        return false
    }

    private mutating func transmit(_ packet: Packet) {
        if case .data = packet { self.transmissions += 1 }
        for delay in self.faults.deliveries(using: &self.generator) {
            let nanoseconds = UInt64(delay.components.attoseconds / 1_000_000_000)
            self.order += 1
            self.network.append((self.now + Self.millisecond + nanoseconds, self.order, packet))
        }
    }

    private mutating func deliver() {
        guard self.network.contains(where: { $0.arrival <= self.now }) else { return }
        let due = self.network.filter { $0.arrival <= self.now }
        self.network.removeAll { $0.arrival <= self.now }
        for item in due.sorted(by: { ($0.arrival, $0.order) < ($1.arrival, $1.order) }) { self.take(item.packet) }
    }

    private mutating func take(_ packet: Packet) {
        switch packet {
        case .data(let sequence):
            switch self.receiver.receive(epoch: 42, sequence: sequence, byteCount: 9) {
            case .deliver:
                self.delivered.append(sequence)
                if self.receiver.owesAcknowledgementNow { self.acknowledge(resend: false) }
            case .duplicate: self.acknowledge(resend: false)
            case .gap:
                if self.receiver.shouldAskAgain(at: self.now, interval: Self.timeout) { self.acknowledge(resend: true) }
            case .stale: break
            }
        case .probe(let last): self.acknowledge(resend: self.receiver.lastInOrder < last)
        case .acknowledgement(let epoch, let sequence, let resend):
            _ = self.sender.acknowledge(epoch: epoch, upTo: sequence)
            if resend { for kept in self.sender.unacknowledged { self.transmit(.data(sequence: kept.sequence)) } }
        }
    }

    private mutating func acknowledge(resend: Bool) {
        self.receiver.acknowledged()
        self.transmit(
            .acknowledgement(epoch: self.receiver.epoch, sequence: self.receiver.lastInOrder, resend: resend))
    }

    private mutating func tick() {
        if self.receiver.owesAcknowledgement { self.acknowledge(resend: false) }
        if self.sender.shouldProbe(at: self.now, timeout: Self.timeout) {
            self.transmit(.probe(lastSequence: self.sender.lastSequence))
        }
    }
}
