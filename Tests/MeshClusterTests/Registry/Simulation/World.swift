import FoundationEssentials
import HeapModule
import MeshCluster
import MeshCore
import MeshRuntime
import MeshTransportInProcess

/// A mesh in which everything happens by a seed: a broker with the real ``Registry``, hosts with a node and workers
/// each, and drivers, which talk by letters that take any time. Letters of one process to another arrive in order, and
/// are lost only with their sender or receiver.
///
/// What is true is known here, so that what the registry thinks can be held against it.
struct World {
    /// What may happen, and how long things take. Times are nanoseconds.
    struct Rules {
        var actions = 60
        /// The longest that an action may let wait for it.
        var pause: UInt64 = 60_000_000
        /// The longest that a letter may take. Three times that is less than the grace after a holder's death.
        var delay: UInt64 = 20_000_000
        var leaseTime: UInt64 = 1_000_000_000
        var heartbeat: UInt64 = 250_000_000
        /// How long nodes wait for a broker that has ended, and how long a broker waits for nodes; the latter is longer.
        var absence: UInt64 = 2_000_000_000
        var patience: UInt64 = 2_500_000_000
        /// Whether the broker ends now and then, and another begins with what it had written.
        var brokerCrashes = false
        var freezes = true
        /// Whether nodes have few resources, for which actors wait.
        var scarcity = false
    }

    let rules: Rules
    var random: SeededGenerator
    var time: UInt64 = 1_000_000_000
    private var agenda = Heap<Planned>()
    private var nextNumber: UInt64 = 1
    /// When the last letter of one process to another arrives.
    private var arrivals: [Route: UInt64] = [:]
    /// The last letters of processes that have ended that have left them.
    private var cuts: [PeerID: UInt64] = [:]
    /// What happens to frozen processes, when they go on.
    private var stashes: [PeerID: [Happening]] = [:]

    var broker: BrokerModel
    /// Counts the lives of the broker: letters of an earlier one are lost.
    var era = 0
    var store = Store()
    var hosts: [PeerID: HostModel] = [:]
    var processes: [PeerID: ProcessModel] = [:]
    var nextPeer: UInt64 = 1
    var nextActor: UInt64 = 1
    var actionsLeft: Int
    var isQuiet = false
    var truth = Truth()
    /// What happened, when somebody wants to know.
    var history: [String]?

    private struct Planned: Comparable {
        var time: UInt64
        var number: UInt64
        var happening: Happening

        static func < (one: Self, other: Self) -> Bool { (one.time, one.number) < (other.time, other.number) }
        static func == (one: Self, other: Self) -> Bool { one.number == other.number }
    }

    private struct Route: Hashable {
        var sender: PeerID
        var receiver: PeerID
        var isAnswer: Bool
    }

    init(seed: UInt64, rules: Rules, isRecording: Bool = false) {
        self.rules = rules
        self.random = SeededGenerator(seed: seed)
        self.actionsLeft = rules.actions
        self.history = isRecording ? [] : nil
        let settings = Registry.Settings(drainTime: rules.leaseTime)
        self.broker = BrokerModel(registry: Registry(settings: settings), rules: rules)
        for _ in 0..<(1 + self.pick(3)) { self.addHost() }
        for _ in 0..<(1 + self.pick(2)) { self.addDriver() }
        self.plan(.leaseCheck, in: rules.heartbeat)
        self.plan(.action, in: 100_000_000)
    }

    var settings: Registry.Settings { Registry.Settings(drainTime: self.rules.leaseTime) }

    var moment: Moment { Moment(time: self.time, date: Date(timeIntervalSince1970: 0)) }

    // MARK: Chance

    mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self.random) }

    mutating func chance(_ part: Int) -> Bool { self.pick(part) == 0 }

    mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[self.pick(elements.count)]
    }

    mutating func wait(upTo most: UInt64) -> UInt64 { UInt64.random(in: 0...most, using: &self.random) }

    mutating func makeNumber() -> UInt64 {
        defer { self.nextNumber += 1 }
        return self.nextNumber
    }

    mutating func makePeer() -> PeerID {
        defer { self.nextPeer += 1 }
        return PeerID(self.nextPeer)
    }

    mutating func record(_ text: @autoclosure () -> String) {
        guard self.history != nil else { return }
        let milliseconds = String(Double(self.time / 1000) / 1000)
        self.history?.append("\(milliseconds) \(text())")
    }

    // MARK: Time

    mutating func plan(_ happening: Happening, in delay: UInt64) {
        let number = self.makeNumber()
        self.agenda.insert(Planned(time: self.time + delay, number: number, happening: happening))
    }

    /// Lets the next thing happen. Returns whether there is one before the time.
    mutating func step(until end: UInt64) -> Bool {
        guard let next = self.agenda.min, next.time <= end else {
            self.time = max(self.time, end)
            return false
        }
        self.agenda.removeMin()
        self.time = max(self.time, next.time)
        if case .arrival(let letter) = next.happening, let cut = self.cuts[letter.sender], next.number > cut {
            self.record("lost with its sender: \(letter)")
            return true
        }
        self.happen(next.happening)
        return true
    }

    private mutating func happen(_ happening: Happening) {
        if let place = happening.place, self.isFrozen(place) {
            self.stashes[place, default: []].append(happening)
            return
        }
        switch happening {
        case .arrival(let letter): self.arrive(letter)
        case .action: self.act()
        case .leaseCheck: self.checkLeases()
        case .registryTick: self.tickRegistry()
        case .brokerReturns: self.startBroker()
        case .brokerHearsOfEnd(let peer): self.brokerHears(endOf: peer)
        case .askTimeout(let call): self.answerAsk(call, .restart)
        case .initialised(let life, let host): self.initialised(life, on: host)
        case .stopped(let life, let host): self.stopped(life, on: host)
        case .isIdle(let life, let call, let host): self.tellIdle(life, call, on: host)
        case .decides(let decision, let call, let host): self.answer(call, .decision(decision), from: host)
        case .reaped(let worker, let host): self.reaped(worker, on: host)
        case .fence(let host): self.fenceIfLate(host)
        case .thaw(let peer): self.thaw(peer)
        case .reports(let process): self.report(process)
        case .drained(let process, let actor): self.drained(process, actor)
        }
    }

    // MARK: Letters

    mutating func send(_ message: Message, from sender: PeerID, to receiver: PeerID) {
        let isAnswer = if case .answer = message { true } else { false }
        let route = Route(sender: sender, receiver: receiver, isAnswer: isAnswer)
        let arrival = max(self.arrivals[route] ?? 0, self.time + self.wait(upTo: self.rules.delay))
        self.arrivals[route] = arrival
        let letter = Letter(sender: sender, receiver: receiver, era: self.era, message: message)
        self.plan(.arrival(letter), in: arrival - self.time)
    }

    private mutating func arrive(_ letter: Letter) {
        if letter.receiver == .broker || letter.sender == .broker, letter.era != self.era { return }
        self.record("\(letter)")
        if letter.receiver == .broker {
            self.receiveAtBroker(letter)
        } else if self.hosts[letter.receiver] != nil {
            self.receiveAtHost(letter)
        } else if self.processes[letter.receiver] != nil {
            self.receiveAtProcess(letter)
        }
    }

    /// Of what a process has sent and has not arrived, the rest is lost from somewhere on.
    mutating func cutLetters(of peer: PeerID) {
        self.cuts[peer] = self.nextNumber - min(self.nextNumber, UInt64(self.pick(40)))
    }

    // MARK: Frozen processes

    func isFrozen(_ peer: PeerID) -> Bool {
        if let host = self.hosts[peer] { return host.isFrozen }
        guard let process = self.processes[peer] else { return false }
        return process.isFrozen || process.host.map { self.hosts[$0]?.isFrozen ?? false } ?? false
    }

    mutating func goOn(_ peer: PeerID) {
        for happening in self.stashes.removeValue(forKey: peer) ?? [] { self.happen(happening) }
    }

    /// Puts off what happens in a frozen process until it goes on. Returns whether it is frozen.
    mutating func stashes(_ happening: Happening, in peer: PeerID) -> Bool {
        guard self.isFrozen(peer) else { return false }
        self.stashes[peer, default: []].append(happening)
        return true
    }

    mutating func forgetStash(of peer: PeerID) { self.stashes[peer] = nil }
}

extension PeerID {
    /// The broker, in whichever of its lives.
    static let broker = PeerID(0)
}

/// What can happen of itself.
enum Happening {
    case arrival(Letter)
    case action
    case leaseCheck
    case registryTick
    case brokerReturns
    case brokerHearsOfEnd(PeerID)
    case askTimeout(UInt64)
    case initialised(ActorLife, PeerID)
    case stopped(ActorLife, PeerID)
    case isIdle(ActorLife, UInt64, PeerID)
    case decides(Supervision.Decision, UInt64, PeerID)
    case reaped(PeerID, PeerID)
    case fence(PeerID)
    case thaw(PeerID)
    case reports(PeerID)
    case drained(PeerID, UniqueID)

    /// The process in which it happens, so that it does not while that is frozen.
    var place: PeerID? {
        switch self {
        case .arrival(let letter): letter.receiver
        case .initialised(_, let host), .stopped(_, let host), .isIdle(_, _, let host), .decides(_, _, let host),
            .reaped(_, let host), .fence(let host):
            host
        case .reports(let process), .drained(let process, _): process
        case .action, .leaseCheck, .registryTick, .brokerReturns, .brokerHearsOfEnd, .askTimeout, .thaw: nil
        }
    }
}
