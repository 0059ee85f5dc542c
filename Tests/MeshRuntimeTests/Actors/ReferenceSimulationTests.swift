import MeshCore
import MeshTransportInProcess
import Testing

@testable import MeshRuntime

/// Calls to an actor that dies, is started again, is out of reach and comes back, in whatever order it happens.
@Suite struct ReferenceSimulationTests {
    @Test("calls run in order, only as often as they may, and each has an outcome", arguments: 0..<300)
    func survives(seed: UInt64) {
        var simulation = ReferenceSimulation(seed: seed)
        simulation.run(steps: 400)
        simulation.finish()
        #expect(simulation.flaws == [], "seed \(seed)")
    }
}

/// One caller, one actor, and a link that is reliable until it breaks.
private struct ReferenceSimulation {
    private struct Attempt {
        var call: Int
        var sequence: UInt64
        /// Changes when the call goes to another life.
        var callID: Int
        var incarnation: UInt64
    }

    private struct Call {
        var callID: Int
        var sequence: UInt64
        var outcome: String?
        /// The lives in which it ran.
        var ranIn: [UInt64] = []
    }

    private enum Answer {
        case result(call: Int, callID: Int)
        case refusal(call: Int, callID: Int, CallRefusal)
    }

    private(set) var flaws: [String] = []
    private var generator: SeededGenerator
    private var state: ReferenceState<Int>
    private let retries: Limit
    private var calls: [Call] = []
    private var nextCallID = 0
    /// The actor: which life it is, what it has run, what waits in its process.
    private var incarnation: UInt64 = 1
    private var isAlive = true
    private var mailbox: [Attempt] = []
    private var answered: [UInt64: Int] = [:]
    private var lastRun: UInt64 = 0
    /// Whether the caller's link leads to the process that the actor is in.
    private var isLinked = true
    private var toActor: [Attempt] = []
    private var toCaller: [Answer] = []

    private static let actor = UniqueID(high: 1, low: 1)
    private static let reason = MeshError(.actorUnavailable, "It happened.")

    init(seed: UInt64) {
        self.generator = SeededGenerator(seed: seed)
        self.retries = [0, 1, 3, .unlimited][Int(seed % 4)]
        let address = PeerAddress(peer: PeerID(1), host: HostID("h"), processID: 1, startTime: 0, endpoints: [])
        self.state = ReferenceState(
            location: ActorLocation(address: address, incarnation: 1), retries: self.retries, mayRestart: true)
    }

    mutating func run(steps: Int) {
        for _ in 0..<steps {
            switch Int.random(in: 0..<20, using: &self.generator) {
            case 0..<7: self.makeCall()
            case 7..<11: self.arrive()
            case 11..<14: self.work()
            case 14..<16: self.answer()
            case 16: self.endLife()
            case 17: self.breakLink()
            default: self.find()
            }
        }
    }

    /// Lets everything come to its end.
    mutating func finish() {
        for _ in 0..<4 {
            if !self.isAlive { self.begin() }
            self.find()
            while !self.toActor.isEmpty { self.arrive() }
            while !self.mailbox.isEmpty { self.work() }
            while !self.toCaller.isEmpty { self.answer() }
        }
        for (number, call) in self.calls.enumerated() where call.outcome == nil {
            self.flaws.append("call \(number) has no outcome: \(call)")
        }
    }

    // MARK: The caller

    private mutating func makeCall() {
        self.nextCallID += 1
        var call = Call(callID: self.nextCallID, sequence: 0)
        let number = self.calls.count
        if case .connected = self.state.phase {
            call.sequence = self.state.calls.keep(number, .sent(self.state.location.incarnation))
            self.calls.append(call)
            self.send(number)
        } else {
            call.sequence = self.state.calls.keep(number, .unsent)
            self.calls.append(call)
        }
    }

    private mutating func send(_ number: Int) {
        let call = self.calls[number]
        self.toActor.append(
            Attempt(
                call: number, sequence: call.sequence, callID: call.callID,
                incarnation: self.state.location.incarnation))
    }

    private mutating func fail(_ failed: ReferenceState<Int>.Failed) {
        for number in failed.calls where self.calls[number].outcome == nil {
            self.calls[number].outcome = "\(failed.error.code)"
        }
    }

    private mutating func answer() {
        guard !self.toCaller.isEmpty else { return }
        switch self.toCaller.removeFirst() {
        case .result(let number, let callID):
            guard self.calls[number].callID == callID, self.calls[number].outcome == nil else { return }
            self.calls[number].outcome = "ran"
            self.state.calls.remove(self.calls[number].sequence)
        case .refusal(let number, let callID, let refusal):
            guard self.calls[number].callID == callID, self.calls[number].outcome == nil else { return }
            if !self.state.refuse(refusal, canSearch: true) {
                self.calls[number].outcome = "refused"
            }
        }
    }

    /// The caller finds out where the actor is, if it is looked for and there.
    private mutating func find() {
        if !self.isAlive, Bool.random(using: &self.generator) { self.begin() }
        guard self.isAlive, let interruption = self.state.interruption else { return }
        guard self.incarnation > self.state.location.incarnation || !interruption.hasEnded else { return }
        var location = self.state.location
        location.incarnation = self.incarnation
        guard let steps = self.state.find(location) else { return }
        // A new link to wherever it is; what was under way on the old one to another process is lost with that.
        if !self.isLinked {
            self.toActor = []
            self.toCaller = []
            self.isLinked = true
        }
        for (sequence, step) in steps {
            guard let number = self.state.calls[sequence]?.call else { continue }
            if case .fail(let error) = step {
                self.state.calls.remove(sequence)
                self.fail(ReferenceState<Int>.Failed(calls: [number], error: error))
                continue
            }
            if step == .sendAnew {
                self.nextCallID += 1
                self.calls[number].callID = self.nextCallID
            }
            self.send(number)
            self.state.noteSent(sequence)
        }
    }

    // MARK: The actor

    private mutating func begin() {
        self.incarnation += 1
        self.isAlive = true
        self.mailbox = []
        self.answered = [:]
        self.lastRun = 0
    }

    private mutating func arrive() {
        guard self.isLinked, !self.toActor.isEmpty else { return }
        let attempt = self.toActor.removeFirst()
        guard self.isAlive, attempt.incarnation == self.incarnation else {
            return self.refuse(attempt)
        }
        if self.retries != 0, self.answered[attempt.sequence] != nil {
            return self.toCaller.append(.result(call: attempt.call, callID: attempt.callID))
        }
        if let index = self.mailbox.firstIndex(where: { $0.sequence == attempt.sequence }) {
            if self.retries == 0 { self.flaws.append("call \(attempt.call) came twice") }
            return self.mailbox[index] = attempt
        }
        self.mailbox.append(attempt)
    }

    private mutating func refuse(_ attempt: Attempt, mayHaveRun: Bool = false) {
        let refusal = CallRefusal(
            actor: Self.actor, incarnation: attempt.incarnation, sequence: attempt.sequence, mayHaveRun: mayHaveRun)
        self.toCaller.append(.refusal(call: attempt.call, callID: attempt.callID, refusal))
    }

    private mutating func work() {
        guard let attempt = self.execute() else { return }
        self.answered[attempt.sequence] = attempt.call
        self.toCaller.append(.result(call: attempt.call, callID: attempt.callID))
    }

    /// Runs the next call, which is not answered yet.
    private mutating func execute() -> Attempt? {
        guard self.isAlive, !self.mailbox.isEmpty else { return nil }
        let attempt = self.mailbox.removeFirst()
        if attempt.sequence <= self.lastRun {
            self.flaws.append("call \(attempt.call) ran in life \(self.incarnation) after a later one")
        }
        self.lastRun = attempt.sequence
        let call = self.calls[attempt.call]
        if call.outcome == "ran" { self.flaws.append("call \(attempt.call) ran after it had ended") }
        self.calls[attempt.call].ranIn.append(self.incarnation)
        let runs = self.calls[attempt.call].ranIn.count
        if let limit = self.retries.count, runs > limit + 1 {
            self.flaws.append("call \(attempt.call) ran \(runs) times")
        }
        return attempt
    }

    /// The life ends: alone, so that its process refuses what runs, what waits and what comes, or with its process.
    private mutating func endLife() {
        guard self.isAlive, self.isLinked else { return }
        if Bool.random(using: &self.generator) {
            if Bool.random(using: &self.generator), let running = self.execute() {
                self.refuse(running, mayHaveRun: true)
            }
            self.isAlive = false
            for attempt in self.mailbox { self.refuse(attempt) }
        } else {
            self.isAlive = false
            self.toActor = []
            self.toCaller = []
            self.isLinked = false
            self.lose(hasEnded: true)
        }
        self.mailbox = []
    }

    /// The process is out of reach for a while: what is under way is lost, what has arrived runs.
    private mutating func breakLink() {
        guard self.isLinked, case .connected = self.state.phase else { return }
        self.toActor = []
        self.toCaller = []
        self.isLinked = false
        // What may not come again is forgotten where it waits.
        if self.retries == 0 { self.mailbox = [] }
        self.lose(hasEnded: false)
    }

    private mutating func lose(hasEnded: Bool) {
        let failed = self.state.lose(hasEnded: hasEnded, canSearch: true, reason: Self.reason)
        self.fail(failed)
        // Those that only waited for their answer share the fate of the process that they are at.
        for (number, call) in self.calls.enumerated()
        where call.outcome == nil && self.state.calls[call.sequence] == nil {
            self.calls[number].outcome = "lost"
        }
    }
}
