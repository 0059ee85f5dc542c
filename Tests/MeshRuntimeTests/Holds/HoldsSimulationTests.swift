import DequeModule
import MeshCore
import MeshRuntime
import MeshTransportInProcess
import Testing

/// Processes that pass handles on and let them go, with everything that is sent between them and the broker arriving
/// after any delay, and a broker that forgets everything now and then.
private struct HoldsSimulation {
    private static let processes = 4
    private static let actors = (1...3).map { UniqueID(high: 1, low: $0) }

    /// What a process keeps an actor held for.
    private struct Process {
        var holds = Holds()
        /// How many handles, and messages that have arrived and were not worked off, there are to each actor.
        var leases: [UniqueID: Int] = [:]
        var pins: [UInt64: (receiver: Int, actors: [UniqueID])] = [:]
        var draining: [UniqueID] = []
        var report: HoldChanges?
        /// Whether the broker gives it handles: it must have heard of everything first.
        var isMember = true
        /// Counts the broker's lives in which its reports are sent.
        var era = 0

        mutating func take(_ actor: UniqueID, isGranted: Bool = false) {
            if self.leases[actor, default: 0] == 0 {
                self.holds.take(actor)
                self.draining.removeAll { $0 == actor }
            }
            self.leases[actor, default: 0] += 1
            if isGranted { self.holds.grant(actor) }
        }

        mutating func drop(_ actor: UniqueID, _ isDrained: Bool) {
            let count = (self.leases[actor] ?? 0) - 1
            self.leases[actor] = count == 0 ? nil : count
            guard count == 0 else { return }
            self.holds.drop(actor, isDrained: isDrained)
            if !isDrained { self.draining.append(actor) }
        }
    }

    private enum Message {
        case call(number: UInt64, actors: [UniqueID])
        case held(UInt64)
        /// To the broker, and back from it.
        case report(HoldChanges, era: Int)
        case accepted(era: Int)
        case granted(UniqueID, era: Int)
    }

    /// Where the broker is among the ends of links.
    private static let broker = processes

    private var generator: SeededGenerator
    private var processes = [Process](repeating: Process(), count: processes)
    private var links: [[Deque<Message>]]
    private var counted: [[UniqueID: Int]]
    private var era = 0
    private var nextNumber: UInt64 = 1
    /// The calls that a process works on: their handles go when they end.
    private var calls: [(process: Int, actors: [UniqueID])] = []
    private var violations: [String] = []

    init(seed: UInt64) {
        self.generator = SeededGenerator(seed: seed)
        self.links = Array(repeating: Array(repeating: [], count: Self.processes + 1), count: Self.processes + 1)
        self.counted = Array(repeating: [:], count: Self.processes)
        for actor in Self.actors { self.grant(actor, to: 0) }
    }

    private mutating func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &self.generator) == 0 }

    private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self.generator) }

    private mutating func grant(_ actor: UniqueID, to process: Int) {
        self.counted[process][actor, default: 0] += 1
        self.links[Self.broker][process].append(.granted(actor, era: self.era))
    }

    // MARK: Steps

    mutating func run(steps: Int, restarts: Bool) -> [String] {
        for _ in 0..<steps {
            switch self.pick(16) {
            case 0: self.sendHandles()
            case 1, 2: self.dropHandle()
            case 3, 4: self.endCall()
            case 5: self.find()
            case 6: self.drain()
            case 7 where restarts && self.chance(20): self.restartBroker()
            default: self.deliver()
            }
            self.confirm()
            self.report(self.pick(Self.processes))
            self.check()
        }
        self.settle()
        return self.violations
    }

    private mutating func sendHandles() {
        let (sender, receiver) = (self.pick(Self.processes), self.pick(Self.processes))
        let actors = self.userHandles(of: sender).filter { _ in self.chance(2) }
        guard sender != receiver, !actors.isEmpty else { return }
        for actor in actors { self.processes[sender].take(actor) }
        self.processes[sender].pins[self.nextNumber] = (receiver, actors)
        self.links[sender][receiver].append(.call(number: self.nextNumber, actors: actors))
        self.nextNumber += 1
    }

    private mutating func dropHandle() {
        let index = self.pick(Self.processes)
        let isDrained = self.chance(2)
        guard let actor = self.userHandles(of: index).randomElement(using: &self.generator) else { return }
        self.processes[index].drop(actor, isDrained)
    }

    /// The handles that are the program's: not those of pins and calls.
    private func userHandles(of index: Int) -> [UniqueID] {
        var left = self.processes[index].leases
        for pin in self.processes[index].pins.values { for actor in pin.actors { left[actor, default: 0] -= 1 } }
        for call in self.calls where call.process == index { for actor in call.actors { left[actor, default: 0] -= 1 } }
        return left.filter { $0.value > 0 }.map(\.key).sorted { $0.low < $1.low }
    }

    /// A call ends; some of its handles are kept.
    private mutating func endCall() {
        guard !self.calls.isEmpty else { return }
        let call = self.calls.remove(at: self.pick(self.calls.count))
        for actor in call.actors where self.chance(2) { self.processes[call.process].drop(actor, self.chance(2)) }
    }

    /// A handle from the broker; to a new actor of the same number when the last one has ended.
    private mutating func find() {
        let (process, actor) = (self.pick(Self.processes), Self.actors[self.pick(Self.actors.count)])
        guard self.processes[process].isMember else { return }
        self.grant(actor, to: process)
    }

    private mutating func drain() {
        let index = self.pick(Self.processes)
        guard let actor = self.processes[index].draining.popLast() else { return }
        self.processes[index].holds.drained(actor)
    }

    private mutating func report(_ index: Int) {
        guard self.processes[index].report == nil, let report = self.processes[index].holds.nextReport() else { return }
        self.processes[index].report = report
        self.links[index][Self.broker].append(.report(report, era: self.era))
    }

    private mutating func restartBroker() {
        self.era += 1
        for index in 0..<Self.processes {
            self.counted[index] = [:]
            self.links[index][Self.broker] = []
            // An answer that has left arrives, or does not; here it does not.
            self.links[Self.broker][index] = []
            self.processes[index].isMember = false
            if self.processes[index].report != nil { self.processes[index].holds.failed() }
            self.processes[index].report = nil
            self.processes[index].holds.reportEverything()
        }
    }

    // MARK: Messages

    private mutating func deliver() {
        let busy = self.links.indices.flatMap { from in
            self.links.indices.filter { !self.links[from][$0].isEmpty }.map { (from, $0) }
        }
        guard let (from, to) = busy.randomElement(using: &self.generator),
            let message = self.links[from][to].popFirst()
        else { return }
        switch message {
        case .call(let number, let actors):
            for actor in actors { self.processes[to].take(actor) }
            self.processes[to].holds.received(
                Holds.Transit(sender: PeerID(UInt64(from)), number: number), actors)
            self.calls.append((to, actors))
        case .held(let number):
            guard let pin = self.processes[to].pins.removeValue(forKey: number) else { break }
            for actor in pin.actors { self.processes[to].drop(actor, self.chance(2)) }
        case .report(let report, let era):
            guard era == self.era else { break }
            self.count(report, of: from)
            self.links[Self.broker][from].append(.accepted(era: era))
        case .accepted(let era):
            guard era == self.era else { break }
            if self.processes[to].report?.isComplete == true { self.processes[to].isMember = true }
            self.processes[to].report = nil
            self.processes[to].holds.accepted()
        case .granted(let actor, _):
            self.processes[to].take(actor, isGranted: true)
        }
    }

    private mutating func confirm() {
        for index in 0..<Self.processes {
            for transit in self.processes[index].holds.takeConfirmed() {
                self.links[index][Int(transit.sender.number)].append(.held(transit.number))
            }
        }
    }

    private mutating func count(_ report: HoldChanges, of process: Int) {
        if report.isComplete { self.counted[process] = [:] }
        for actor in report.acquired { self.counted[process][actor, default: 0] += 1 }
        for released in report.released {
            let left = (self.counted[process][released.actor] ?? 0) - released.grants
            if left < 0 { self.violations.append("\(process) gave back more of \(released.actor.low) than it had") }
            self.counted[process][released.actor] = left > 0 ? left : nil
        }
    }

    // MARK: What must be so

    /// What somebody has, the broker counts for somebody, once all have told a broker that has returned.
    private mutating func check() {
        guard self.processes.allSatisfy(\.isMember) else { return }
        for actor in Self.actors where self.processes.contains(where: { $0.leases[actor] != nil }) {
            if !self.counted.contains(where: { $0[actor] != nil }) { self.violations.append("\(actor.low) is unheld") }
        }
    }

    /// When everything has arrived, what the broker counts is what is held, and nothing else is remembered.
    private mutating func settle() {
        var quiet = 0
        while quiet < 200 {
            let before = self.links.flatMap { $0 }.reduce(0) { $0 + $1.count } + self.calls.count
            self.deliver()
            self.endCall()
            self.drain()
            self.confirm()
            self.report(self.pick(Self.processes))
            self.check()
            quiet = before == 0 ? quiet + 1 : 0
        }
        for index in 0..<Self.processes {
            let process = self.processes[index]
            if Set(self.counted[index].keys) != Set(process.leases.keys) {
                self.violations.append("the broker counts \(self.counted[index]), \(index) has \(process.leases)")
            }
            if !process.pins.isEmpty { self.violations.append("\(index) still pins \(process.pins)") }
            if process.holds.size != process.leases.count { self.violations.append("\(index) remembers too much") }
        }
    }
}

@Suite("Handles that are passed on and let go in any order")
struct HoldsSimulationTests {
    @Test("an actor that somebody holds is never unheld, and what nobody holds is forgotten (L1)", arguments: 0..<100)
    func passing(seed: UInt64) {
        var simulation = HoldsSimulation(seed: seed)
        #expect(simulation.run(steps: 4000, restarts: false) == [])
    }

    @Test("the same when the broker loses its memory", arguments: 100..<200)
    func restarts(seed: UInt64) {
        var simulation = HoldsSimulation(seed: seed)
        #expect(simulation.run(steps: 4000, restarts: true) == [])
    }
}
