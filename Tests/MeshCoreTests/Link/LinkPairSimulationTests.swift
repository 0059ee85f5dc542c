import MeshCore
import MeshTransportInProcess
import Testing

@Suite struct LinkPairSimulationTests {
    @Test("two processes that give each other up at any time find together again", arguments: 0..<40)
    func findTogether(seed: UInt64) {
        var simulation = PairSimulation(seed: seed)
        simulation.run(milliseconds: 2_500, isCalm: false)
        let epochs = simulation.ends.map(\.epochs)
        // What was under way comes in, then each has something to say, and nobody gives up any more.
        simulation.run(milliseconds: 1_200, isCalm: true)
        let marks = simulation.ends.map(\.nextBody)
        for index in 0...1 { simulation.say(from: index) }
        simulation.run(milliseconds: 1_200, isCalm: true)
        for index in 0...1 {
            let delivered = simulation.ends[1 - index].delivered
            #expect(delivered == delivered.sorted(), "seed \(seed): out of order")
            #expect(Set(delivered).count == delivered.count, "seed \(seed): twice")
            #expect(delivered.last == marks[index], "seed \(seed): the last one has not come")
            #expect(simulation.ends[index].unacknowledged.isEmpty, "seed \(seed)")
            #expect(simulation.ends[index].epochs <= epochs[index] + 2, "seed \(seed): they chase each other")
        }
        #expect(simulation.ends[0].giveUps + simulation.ends[1].giveUps > 0)
    }
}

/// Two processes, the links between them and a bad network, in simulated time. Each end follows the rules of a peer: a
/// gap is asked for, what was given up is told, whoever waits too long asks.
private struct PairSimulation {
    struct Packet {
        var epoch: UInt64
        var sequence: UInt64
        var acknowledgedEpoch: UInt64
        var acknowledged: UInt64
        var body = 0
        /// Asks for what was not acknowledged.
        var resends = false
        /// Asks for an answer; with the last sequence number.
        var probes: UInt64?
    }

    struct End {
        var pair: LinkPair
        var receiver = LinkReceiver()
        var lastSequence: UInt64 = 0
        var unacknowledged: [(sequence: UInt64, body: Int)] = []
        var nextBody = 0
        var delivered: [Int] = []
        var epochs = 1
        var giveUps = 0

        init(epoch: UInt64) { self.pair = LinkPair(own: epoch) }

        /// Forgets both links and begins others.
        mutating func giveUp() {
            self.pair = LinkPair(own: self.pair.own + 1, givenUp: self.pair.lastGivenUp)
            self.receiver = LinkReceiver()
            self.lastSequence = 0
            self.unacknowledged = []
            self.epochs += 1
        }
    }

    var ends = [End(epoch: 100), End(epoch: 500)]
    private var generator: SeededGenerator
    private var faults: Faults
    private var network: [(arrival: Int, order: Int, to: Int, packet: Packet)] = []
    private var now = 0
    private var order = 0
    private var cutUntil = 0

    init(seed: UInt64) {
        self.generator = SeededGenerator(seed: seed)
        self.faults = Faults(
            drop: Double.random(in: 0...0.4, using: &self.generator),
            duplicate: Double.random(in: 0...0.4, using: &self.generator),
            delay: Double.random(in: 0...0.6, using: &self.generator),
            maximumDelay: .milliseconds(Int.random(in: 1...900, using: &self.generator)))
    }

    mutating func run(milliseconds: Int, isCalm: Bool) {
        let end = self.now + milliseconds
        while self.now < end {
            self.now += 1
            if !isCalm { self.disturb() }
            self.deliver(isCalm: isCalm)
            if self.now % 50 == 0 { for index in 0...1 { self.probe(index, isCalm: isCalm) } }
        }
    }

    private mutating func disturb() {
        for index in 0...1 {
            if Int.random(in: 0..<20, using: &self.generator) == 0 { self.say(from: index) }
            if Int.random(in: 0..<400, using: &self.generator) == 0 {
                self.ends[index].giveUp()
                self.ends[index].giveUps += 1
            }
        }
        if Int.random(in: 0..<500, using: &self.generator) == 0 {
            self.cutUntil = self.now + Int.random(in: 1...800, using: &self.generator)
        }
    }

    /// Sends the next message of one end, by its link.
    mutating func say(from index: Int) {
        self.ends[index].lastSequence += 1
        let (sequence, body) = (self.ends[index].lastSequence, self.ends[index].nextBody)
        self.ends[index].nextBody += 1
        self.ends[index].unacknowledged.append((sequence, body))
        self.send(from: index, sequence: sequence, isCalm: false) { $0.body = body }
    }

    private mutating func send(
        from index: Int, sequence: UInt64, isCalm: Bool, _ fill: (inout Packet) -> Void = { _ in }
    ) {
        let end = self.ends[index]
        let acknowledgement = end.pair.acknowledgement(end.receiver.lastInOrder)
        var packet = Packet(
            epoch: end.pair.own, sequence: sequence, acknowledgedEpoch: acknowledgement.epoch,
            acknowledged: acknowledgement.sequence)
        fill(&packet)
        self.ends[index].receiver.acknowledged()
        guard self.now >= self.cutUntil || isCalm else { return }
        let deliveries = isCalm ? [.zero] : self.faults.deliveries(using: &self.generator)
        for delay in deliveries {
            self.order += 1
            let milliseconds = Int(delay.components.attoseconds / 1_000_000_000_000_000)
            self.network.append((self.now + 1 + milliseconds, self.order, 1 - index, packet))
        }
    }

    private mutating func deliver(isCalm: Bool) {
        guard self.network.contains(where: { $0.arrival <= self.now }) else { return }
        let due = self.network.filter { $0.arrival <= self.now }
        self.network.removeAll { $0.arrival <= self.now }
        for item in due.sorted(by: { ($0.arrival, $0.order) < ($1.arrival, $1.order) }) {
            self.take(item.packet, at: item.to, isCalm: isCalm)
        }
    }

    private mutating func take(_ packet: Packet, at index: Int, isCalm: Bool) {
        let verdict = self.ends[index].pair.judge(
            epoch: packet.epoch, acknowledgedEpoch: packet.acknowledgedEpoch, acknowledged: packet.acknowledged)
        switch verdict {
        case .current: break
        case .begun: self.ends[index].receiver = LinkReceiver(epoch: packet.epoch)
        case .stale: return
        case .givenUp: return self.send(from: index, sequence: 0, isCalm: isCalm)
        case .forgotten:
            self.ends[index].giveUp()
            return self.take(packet, at: index, isCalm: isCalm)
        }
        if packet.acknowledgedEpoch == self.ends[index].pair.own, packet.acknowledged < .max {
            self.ends[index].unacknowledged.removeAll { $0.sequence <= packet.acknowledged }
        }
        if packet.sequence > 0 {
            switch self.ends[index].receiver.receive(epoch: packet.epoch, sequence: packet.sequence, byteCount: 1) {
            case .deliver: self.ends[index].delivered.append(packet.body)
            case .duplicate: self.send(from: index, sequence: 0, isCalm: isCalm)
            case .gap: self.send(from: index, sequence: 0, isCalm: isCalm) { $0.resends = true }
            case .stale: break
            }
        }
        if let last = packet.probes {
            let missing = self.ends[index].receiver.lastInOrder < last
            self.send(from: index, sequence: 0, isCalm: isCalm) { $0.resends = missing }
        }
        guard packet.resends else { return }
        for kept in self.ends[index].unacknowledged {
            self.send(from: index, sequence: kept.sequence, isCalm: isCalm) { $0.body = kept.body }
        }
    }

    private mutating func probe(_ index: Int, isCalm: Bool) {
        guard !self.ends[index].unacknowledged.isEmpty else { return }
        let last = self.ends[index].lastSequence
        self.send(from: index, sequence: 0, isCalm: isCalm) { $0.probes = last }
    }
}
