import FoundationEssentials
import MeshCore
import MeshRuntime
import MeshTransportInProcess
import Testing

@testable import MeshCluster

@Suite("Who holds which object (O1)")
struct ObjectCountingTests {
    @Test(
        "an object is freed only when nobody has it, and then it is, in whatever order messages come and processes die",
        arguments: 0..<1000 as Range<UInt64>)
    func schedules(seed: UInt64) {
        var world = ObjectWorld(seed: seed)
        for _ in 0..<250 { world.step() }
        world.finish()
        #expect(world.violations.isEmpty, "seed \(seed): \(world.violations)")
    }

    @Test("a new broker frees nothing that somebody may still say he has")
    func returning() throws {
        var registry = Registry()
        let (owner, holder) = (PeerID(1), PeerID(2))
        let object = UniqueID.makeObject(of: owner)
        registry.expectReturns(until: 1000)
        let asked = HoldChanges(released: [.init(actor: object, grants: 0)], isComplete: true)
        #expect(registry.report(asked, by: owner, on: nil, at: Moment(time: 10, date: Date())).isEmpty)
        let held = HoldChanges(acquired: [object], isComplete: true)
        #expect(registry.report(held, by: holder, on: nil, at: Moment(time: 20, date: Date())).isEmpty)
        registry.tick(at: Moment(time: 1000, date: Date()))
        #expect(!registry.takeEffects().contains { if case .objectsFree = $0 { true } else { false } })
        let released = HoldChanges(released: [.init(actor: object, grants: 1)])
        _ = registry.report(released, by: holder, on: nil, at: Moment(time: 1001, date: Date()))
        #expect(registry.takeEffects() == [.objectsFree([object], of: owner)])
        #expect(
            registry.report(asked, by: owner, on: nil, at: Moment(time: 1002, date: Date())).map(\.actor) == [object])
        #expect(registry.objectCount == 0)
    }

    @Test("of a process that has ended nobody can begin to hold an object, and those who do let it go")
    func ownerGone() {
        var registry = Registry()
        let object = UniqueID.makeObject(of: PeerID(1))
        let now = Moment(time: 1, date: Date())
        _ = registry.report(HoldChanges(acquired: [object]), by: PeerID(2), on: nil, at: now)
        registry.lost(PeerID(1), Registry.Death(.nodeLost, "It has ended."), at: now)
        let ended = registry.report(HoldChanges(acquired: [object]), by: PeerID(3), on: nil, at: now)
        #expect(ended.map(\.actor) == [object])
        #expect(registry.objectCount == 1)
        _ = registry.report(
            HoldChanges(released: [.init(actor: object, grants: 1)]), by: PeerID(2), on: nil, at: now)
        #expect(registry.objectCount == 0)
    }

    @Test("an owner that was given up and comes back frees nothing that others still hold")
    func ownerBack() {
        var registry = Registry()
        let (owner, holder) = (PeerID(1), PeerID(2))
        let object = UniqueID.makeObject(of: owner)
        func moment(_ time: UInt64) -> Moment { Moment(time: time, date: Date()) }
        _ = registry.report(HoldChanges(acquired: [object]), by: holder, on: nil, at: moment(1))
        registry.lost(owner, Registry.Death(.nodeLost, "It was not heard."), at: moment(2))
        registry.welcome(owner)
        let asked = HoldChanges(released: [.init(actor: object, grants: 0)], isComplete: true)
        #expect(registry.report(asked, by: owner, on: nil, at: moment(3)).isEmpty)
        _ = registry.takeEffects()
        let released = HoldChanges(released: [.init(actor: object, grants: 1)])
        _ = registry.report(released, by: holder, on: nil, at: moment(4))
        #expect(registry.takeEffects().contains(.objectsFree([object], of: owner)))
    }
}

/// Processes that pass references around, and a broker that counts them. Messages between two take their time, and keep
/// their order.
private struct ObjectWorld {
    enum Letter {
        case reference(UniqueID, number: UInt64, from: Int)
        case confirmed([UInt64])
        case report(HoldChanges, from: Int)
        case answer([EndedActor])
        case ask([UniqueID])
    }

    struct Process {
        var holds: Holds
        var refs: Set<UniqueID> = []
        /// What messages on their way have of it.
        var pins: [UInt64: UniqueID] = [:]
        var isAlive = true

        func has(_ object: UniqueID) -> Bool { self.refs.contains(object) || self.pins.values.contains(object) }
    }

    private static let broker = 99
    private var random: SeededGenerator
    private var registry = Registry()
    private var time: UInt64 = 1
    private var processes: [Process]
    private var links: [[Int]: [Letter]] = [:]
    private var nextNumber: UInt64 = 1
    /// When which pins of whom go, whose receivers have died.
    private var unpins: [(time: UInt64, process: Int, numbers: [UInt64])] = []
    /// Those that the broker believes to have ended, and those of them whose last report has no answer.
    private var givenUp: Set<Int> = []
    private var wereGivenUp: Set<Int> = []
    private var isUnanswered: Set<Int> = []
    /// Objects of which somebody was told that they are lost.
    private var lost: Set<UniqueID> = []
    /// The objects that their owners have for others.
    private var given: Set<UniqueID> = []
    var violations: [String] = []
    var log: [String] = []

    init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
        self.processes = (1...4).map { Process(holds: Holds(of: PeerID($0))) }
    }

    private var now: Moment { Moment(time: self.time, date: Date(timeIntervalSince1970: 0)) }
    private func peer(_ index: Int) -> PeerID { PeerID(UInt64(index + 1)) }
    private mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self.random) }

    mutating func step() {
        // Messages take less than the grace that is given when a holder dies.
        self.time += UInt64(self.pick(1_000_000))
        self.tick()
        let process = self.pick(4)
        guard self.processes[process].isAlive else { return }
        switch self.pick(12) {
        case 0:
            let object = UniqueID.makeObject(of: self.peer(process))
            self.processes[process].refs.insert(object)
            self.pass(object, from: process)
        case 1...3:
            if let object = self.processes[process].refs.randomElement(using: &self.random) {
                self.pass(object, from: process)
            }
        case 4, 5:
            if let object = self.processes[process].refs.randomElement(using: &self.random) {
                self.drop(object, by: process)
            }
        case 6 where self.pick(40) == 0: self.die(process)
        case 7 where self.pick(8) == 0: self.isGivenUp(process) ? self.comeBack(process) : self.giveUp(process)
        default: self.deliver()
        }
        self.report(process)
    }

    private mutating func tick() {
        for unpin in self.unpins where unpin.time <= self.time && self.processes[unpin.process].isAlive {
            self.unpin(unpin.numbers, of: unpin.process)
        }
        self.unpins.removeAll { $0.time <= self.time }
        self.registry.tick(at: self.now)
        self.settle()
    }

    /// Everything arrives, and everybody lets everything go.
    mutating func finish() {
        for process in self.processes.indices where self.isGivenUp(process) && self.processes[process].isAlive {
            self.comeBack(process)
        }
        for _ in 0..<40 {
            while !self.links.isEmpty { self.deliver() }
            for process in self.processes.indices where self.processes[process].isAlive {
                for object in self.processes[process].refs { self.drop(object, by: process) }
                self.report(process)
            }
            self.time += 300_000_000
            self.tick()
        }
        if !self.given.isEmpty { self.violations.append("\(self.given.count) objects were never freed") }
        if self.registry.objectCount > 0 {
            self.violations.append("the broker knows \(self.registry.objectCount) objects")
        }
    }

    private mutating func pass(_ object: UniqueID, from process: Int) {
        let other = (process + 1 + self.pick(3)) % 4
        guard self.processes[other].isAlive else { return }
        if object.owner == self.peer(process) { self.given.insert(object) }
        self.processes[process].holds.take(object)
        self.processes[process].pins[self.nextNumber] = object
        self.send(.reference(object, number: self.nextNumber, from: process), from: process, to: other)
        self.nextNumber += 1
    }

    private mutating func drop(_ object: UniqueID, by process: Int) {
        self.processes[process].refs.remove(object)
        if !self.processes[process].has(object) { self.processes[process].holds.drop(object, isDrained: true) }
    }

    private func isGivenUp(_ process: Int) -> Bool { self.givenUp.contains(process) }

    /// A process is not heard by the broker any more, for too long. It does not know that, and others hear it well.
    private mutating func giveUp(_ process: Int) {
        self.givenUp.insert(process)
        self.wereGivenUp.insert(process)
        self.log.append("\(self.time / 1000) given up \(process)")
        for route in [[process, Self.broker], [Self.broker, process]] {
            if self.links.removeValue(forKey: route) != nil { self.isUnanswered.insert(process) }
        }
        self.registry.lost(self.peer(process), Registry.Death(.nodeLost, "It was not heard."), at: self.now)
        self.settle()
    }

    /// It is a member again, and says everything that it has.
    private mutating func comeBack(_ process: Int) {
        self.givenUp.remove(process)
        self.log.append("\(self.time / 1000) comes back \(process)")
        self.registry.welcome(self.peer(process))
        if self.isUnanswered.remove(process) != nil { self.processes[process].holds.failed() }
        self.processes[process].holds.reportEverything()
        for object in self.given where object.owner == self.peer(process) { self.processes[process].holds.ask(object) }
        self.report(process)
    }

    private mutating func report(_ process: Int) {
        guard !self.isGivenUp(process) else { return }
        guard let changes = self.processes[process].holds.nextReport() else { return }
        self.send(.report(changes, from: process), from: process, to: Self.broker)
    }

    private mutating func die(_ process: Int) {
        self.processes[process].isAlive = false
        self.log.append("\(self.time / 1000) dies \(process)")
        self.links = self.links.filter { !$0.key.contains(process) }
        let peer = self.peer(process)
        self.given = self.given.filter { $0.owner != peer }
        self.registry.lost(peer, Registry.Death(.nodeLost, "It has ended."), at: self.now)
        self.settle()
        for other in self.processes.indices where self.processes[other].isAlive {
            self.processes[other].holds.forget(peer)
            // What was on its way to it may have been passed on before it died.
            let numbers = self.processes[other].pins.keys.filter { number in !self.isUnderWay(number) }
            self.unpins.append((self.time + 200_000_000, other, numbers))
        }
    }

    private func isUnderWay(_ number: UInt64) -> Bool {
        for letter in self.links.values.joined() {
            switch letter {
            case .reference(_, let other, _) where other == number: return true
            case .confirmed(let numbers) where numbers.contains(number): return true
            default: continue
            }
        }
        return self.processes.contains { $0.isAlive && $0.holds.waits(for: number) }
    }

    private mutating func unpin(_ numbers: [UInt64], of process: Int) {
        for number in numbers {
            guard let object = self.processes[process].pins.removeValue(forKey: number) else { continue }
            if !self.processes[process].has(object) { self.processes[process].holds.drop(object, isDrained: true) }
        }
    }

    private mutating func send(_ letter: Letter, from sender: Int, to receiver: Int) {
        self.log.append("\(self.time / 1000) send \(sender)>\(receiver) \(letter)")
        self.links[[sender, receiver], default: []].append(letter)
    }

    private mutating func deliver() {
        let routes = self.links.keys.sorted { $0.lexicographicallyPrecedes($1) }
        guard !routes.isEmpty else { return }
        let route = routes[self.pick(routes.count)]
        guard let letter = self.links[route]?.removeFirst() else { return }
        if self.links[route]?.isEmpty == true { self.links[route] = nil }
        let receiver = route[1]
        self.log.append("\(self.time / 1000) deliver \(route) \(letter)")
        switch letter {
        case .report(let changes, let sender):
            let ended = self.registry.report(changes, by: self.peer(sender), on: nil, at: self.now)
            self.send(.answer(ended), from: Self.broker, to: sender)
            self.settle()
        case .answer(let ended):
            for object in self.processes[receiver].holds.accepted(ended: ended.map(\.actor)) {
                self.free(object, by: receiver)
            }
        case .ask(let objects): for object in objects { self.processes[receiver].holds.ask(object) }
        case .confirmed(let numbers): self.unpin(numbers, of: receiver)
        case .reference(let object, let number, let sender):
            self.processes[receiver].refs.insert(object)
            self.processes[receiver].holds.take(object)
            self.processes[receiver].holds.received(.init(sender: self.peer(sender), number: number), [object])
        }
        guard receiver != Self.broker else { return }
        for transit in self.processes[receiver].holds.takeConfirmed() {
            self.send(.confirmed([transit.number]), from: receiver, to: Int(transit.sender.number) - 1)
        }
        self.report(receiver)
    }

    private mutating func free(_ object: UniqueID, by owner: Int) {
        guard object.owner == self.peer(owner) else {
            self.processes[owner].refs.remove(object)
            self.lost.insert(object)
            return
        }
        guard self.given.remove(object) != nil else { return }
        // What one held that was given up may have been freed, and who was told that an object is lost has none.
        let holders = self.processes.indices.filter {
            self.processes[$0].isAlive && self.processes[$0].has(object) && !self.wereGivenUp.contains($0)
                && !self.lost.contains(object)
        }
        if !holders.isEmpty {
            let dead = self.processes.indices.filter { !self.processes[$0].isAlive }
            self.violations.append(
                "\(object.short) of \(owner) was freed while \(holders) had it, \(dead) dead, time \(self.time)\n\(self.log.suffix(60).joined(separator: "\n"))"
            )
        }
    }

    private mutating func settle() {
        for effect in self.registry.takeEffects() {
            guard case .objectsFree(let objects, let owner) = effect else { continue }
            let index = Int(owner.number) - 1
            if self.processes[index].isAlive { self.send(.ask(objects), from: Self.broker, to: index) }
        }
    }
}
