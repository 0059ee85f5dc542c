import MeshCluster
import MeshCore
import MeshRuntime

/// A driver or a worker: what it holds, and what it waits for.
struct ProcessModel {
    /// The host whose worker it is; nil for a driver.
    var host: PeerID?
    var isFrozen = false
    var frozenAt: UInt64 = 0
    var wasFrozenUntil: UInt64 = 0
    var holds = Holds()
    /// How many handles, and messages on their way, keep each actor held.
    var leases: [UniqueID: Int] = [:]
    /// The program's handles among them.
    var handles: [UniqueID: Int] = [:]
    /// What was sent and is not confirmed.
    var pins: [UInt64: Pin] = [:]
    var report: UInt64?
    var isReporting = false
    var questions: [UInt64: Question] = [:]
    /// Whether the broker knows all that it holds. Before that it asks for no handles: the answer could overtake what
    /// it says that it holds, and be taken for part of that or not.
    var isKnown = true
    /// What it will ask then.
    var later: [Question] = []
    /// What it had asked already when it said all that it holds. It says it again when that has been answered.
    var unsettled: Set<UInt64> = []
    /// Whether it has still to say all that it holds.
    var isIncomplete = false

    struct Pin {
        var receiver: PeerID
        var actor: UniqueID
    }

    init(host: PeerID?) { self.host = host }

    /// The actors to which its program has handles.
    var held: [UniqueID] { self.handles.keys.sorted { $0.low < $1.low } }
}

extension World {
    var drivers: [PeerID] {
        self.processes.filter { $0.value.host == nil }.keys.sorted { $0.number < $1.number }
    }

    mutating func addDriver() {
        let peer = self.makePeer()
        self.processes[peer] = ProcessModel(host: nil)
        self.record("driver \(peer.name) comes")
        if self.broker.isUp { self.rejoinDriver(peer) }
    }

    mutating func rejoinDriver(_ peer: PeerID) {
        self.send(.question(self.makeNumber(), .join), from: peer, to: .broker)
        // Until it is admitted it does not try again.
        self.broker.leases.hear(peer, at: self.time)
        self.reportAll(peer)
    }

    /// Has a process tell a broker that forgot of everything that it holds.
    mutating func reportAll(_ peer: PeerID) {
        self.processes[peer]?.isKnown = false
        self.processes[peer]?.isIncomplete = true
        self.processes[peer]?.holds.reportEverything()
        self.tend(peer)
    }

    /// The broker has taken a report.
    private mutating func reported(_ ended: [UniqueID], to peer: PeerID) {
        self.processes[peer]?.report = nil
        self.processes[peer]?.holds.accepted(ended: ended)
        self.tend(peer)
        guard let process = self.processes[peer], !process.isKnown, process.unsettled.isEmpty, !process.isIncomplete
        else { return }
        self.processes[peer]?.isKnown = true
        self.processes[peer]?.later = []
        for question in process.later { self.ask(question, by: peer) }
    }

    mutating func ask(_ question: Question, by process: PeerID) {
        guard self.broker.isUp else { return }
        if question.givesHandle, self.processes[process]?.isKnown == false {
            self.processes[process]?.later.append(question)
            return
        }
        let call = self.makeNumber()
        self.processes[process]?.questions[call] = question
        self.send(.question(call, question), from: process, to: .broker)
    }

    mutating func receiveAtProcess(_ letter: Letter) {
        let peer = letter.receiver
        switch letter.message {
        case .handle(let number, let actor):
            self.take(actor, in: peer)
            let transit = Holds.Transit(sender: letter.sender, number: number)
            self.processes[peer]?.holds.received(transit, [actor])
            self.tend(peer)
        case .held(let number):
            guard let pin = self.processes[peer]?.pins.removeValue(forKey: number) else { return }
            self.unlease(pin.actor, in: peer)
        case .answer(let call, .reported(let ended)):
            guard self.processes[peer]?.report == call else { return }
            self.reported(ended, to: peer)
        case .answer(let call, let answer):
            guard self.processes[peer]?.questions.removeValue(forKey: call) != nil else { return }
            if case .handle(let actor, isCounted: true) = answer { self.take(actor, in: peer, isGranted: true) }
            if self.processes[peer]?.unsettled.remove(call) != nil, self.processes[peer]?.unsettled.isEmpty == true {
                self.reportAll(peer)
            }
        case .question: break
        }
    }

    // MARK: Handles

    private mutating func take(_ actor: UniqueID, in peer: PeerID, isGranted: Bool = false) {
        self.lease(actor, in: peer)
        self.processes[peer]?.handles[actor, default: 0] += 1
        if isGranted { self.processes[peer]?.holds.grant(actor) }
        self.tend(peer)
    }

    private mutating func lease(_ actor: UniqueID, in peer: PeerID) {
        if self.processes[peer]?.leases[actor] == nil { self.processes[peer]?.holds.take(actor) }
        self.processes[peer]?.leases[actor, default: 0] += 1
    }

    private mutating func unlease(_ actor: UniqueID, in peer: PeerID) {
        guard let count = self.processes[peer]?.leases[actor] else { return }
        self.processes[peer]?.leases[actor] = count > 1 ? count - 1 : nil
        guard count == 1 else { return }
        // What was sent to the actor has arrived, or does so soon.
        let isDrained = self.chance(2)
        self.processes[peer]?.holds.drop(actor, isDrained: isDrained)
        if !isDrained { self.plan(.drained(peer, actor), in: self.wait(upTo: self.rules.delay)) }
        self.tend(peer)
    }

    mutating func drained(_ peer: PeerID, _ actor: UniqueID) {
        guard self.processes[peer]?.leases[actor] == nil else { return }
        self.processes[peer]?.holds.drained(actor)
        self.tend(peer)
    }

    mutating func drop(_ actor: UniqueID, in peer: PeerID) {
        guard let count = self.processes[peer]?.handles[actor] else { return }
        self.record("\(peer.name) drops a handle of \(actor.name)")
        self.processes[peer]?.handles[actor] = count > 1 ? count - 1 : nil
        self.unlease(actor, in: peer)
    }

    mutating func pass(_ actor: UniqueID, from sender: PeerID, to receiver: PeerID) {
        let number = self.makeNumber()
        self.lease(actor, in: sender)
        self.processes[sender]?.pins[number] = ProcessModel.Pin(receiver: receiver, actor: actor)
        self.send(.handle(number, actor), from: sender, to: receiver)
    }

    /// A process is gone: what was sent to it and what it sent need not be held.
    mutating func forget(_ gone: PeerID, in peer: PeerID) {
        guard let process = self.processes[peer] else { return }
        self.processes[peer]?.holds.forget(gone)
        for (number, pin) in process.pins.sorted(by: { $0.key < $1.key }) where pin.receiver == gone {
            self.processes[peer]?.pins[number] = nil
            self.unlease(pin.actor, in: peer)
        }
    }

    /// Confirms what came and has the broker told, soon.
    private mutating func tend(_ peer: PeerID) {
        guard let confirmed = self.processes[peer]?.holds.takeConfirmed() else { return }
        for transit in confirmed where self.processes[transit.sender] != nil {
            self.send(.held(transit.number), from: peer, to: transit.sender)
        }
        guard let process = self.processes[peer], process.report == nil, !process.isReporting, process.holds.hasNews
        else { return }
        self.processes[peer]?.isReporting = true
        self.plan(.reports(peer), in: 1_000_000)
    }

    mutating func report(_ peer: PeerID) {
        self.processes[peer]?.isReporting = false
        guard self.broker.isUp, self.processes[peer]?.report == nil,
            var changes = self.processes[peer]?.holds.nextReport()
        else { return }
        if changes.isComplete {
            let questions = self.processes[peer]?.questions.filter(\.value.givesHandle).keys
            self.processes[peer]?.unsettled = Set(questions.map(Array.init) ?? [])
            self.processes[peer]?.isIncomplete = false
        }
        changes.acquired.sort { $0.low < $1.low }
        changes.released.sort { $0.actor.low < $1.actor.low }
        let call = self.makeNumber()
        self.processes[peer]?.report = call
        self.send(.question(call, .report(changes)), from: peer, to: .broker)
    }
}
