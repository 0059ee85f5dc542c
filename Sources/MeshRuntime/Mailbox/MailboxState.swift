import DequeModule
import FoundationEssentials
import MeshCore

/// The calls of one actor: which wait, which run, and how many may run at once. A value without clocks or tasks.
///
/// With a limit of 1 a call runs to its end before the next one starts (C1), and calls start in the order in which
/// they arrived, which for one caller is the order in which it made them (C2).
struct MailboxState: ~Copyable {
    private(set) var waiting: Deque<InboundCall> = []
    private(set) var running: [(call: InboundCall, runner: MailboxRunner, since: UInt64)] = []
    private(set) var runners = 0
    private(set) var limit: Int
    private(set) var closed: MeshError?
    /// What was counted of the calls that have ended.
    private(set) var counts = CallCounts()
    /// Whether somebody waits until nothing waits or runs.
    private var isWatched = false
    /// The calls that may be sent again, and their answers.
    private(set) var answers: RememberedAnswers
    /// This process, as the caller of its own calls.
    private let process: PeerID
    /// What each caller's window needs to know of its one-way messages.
    private var oneWay: [PeerID?: OneWayCount] = [:]

    private struct OneWayCount {
        /// The link by which they came; another begins anew.
        var link: UInt64
        var arrived: UInt64 = 0
        var completed: UInt64 = 0
        /// Credit is due when so many have run, the smallest first.
        var due: Deque<UInt64> = []
        /// How many the caller has been told of.
        var credited: UInt64 = 0
    }

    init(limit: Int, process: PeerID = .anyone, answers: RememberedAnswers = RememberedAnswers()) {
        self.limit = max(1, limit)
        self.process = process
        self.answers = answers
    }

    enum Arrival {
        /// A runner must be started for it.
        case start
        /// A runner will come to it.
        case wait
        /// The actor has ended; the call has not run.
        case refused(MeshError)
        /// It has run before.
        case answered(CallAnswer)
        /// It has come before and must not run, but what became of it is forgotten.
        case forgotten(MeshError)
    }

    /// - Parameter now: nanoseconds of a steady clock; only for a call that may be sent again.
    mutating func arrive(_ call: InboundCall, now: UInt64 = 0) -> Arrival {
        if let answeredBelow = call.answeredBelow {
            let arrival = self.answers.arrive(
                call, from: self.caller(of: call), answeredBelow: answeredBelow, now: now)
            switch arrival {
            case .new: break
            // The one that is here already brings the answer.
            case .open: return .wait
            case .answered(let answer): return .answered(answer)
            case .forgotten:
                return .forgotten(
                    MeshError(
                        .actorUnavailable,
                        "\(call.target.label) came a second time, and what became of it the first time is forgotten; "
                            + "it may or may not have run."))
            }
        }
        if let closed {
            self.answers.drop(call, from: self.caller(of: call))
            return .refused(closed)
        }
        self.waiting.append(call)
        if self.limit > 1, call.isOneWay { self.noteArrival(call) }
        guard self.runners < self.limit else { return .wait }
        self.runners += 1
        return .start
    }

    private func caller(of call: InboundCall) -> PeerID { call.origin?.id ?? self.process }

    /// Keeps the answer of a call, if it may be sent again. Returns the call to which the answer goes: the same one, or
    /// the one by which its caller asked last.
    ///
    /// - Parameter stored: the answer as it is stored with the state of a persistent actor.
    mutating func conclude(_ call: InboundCall, with answer: CallAnswer, stored: Data = Data()) -> InboundCall {
        guard call.mayComeAgain else { return call }
        return self.answers.conclude(call, from: self.caller(of: call), with: answer, stored: stored) ?? call
    }

    /// The call to which the answer of a call goes that waits or runs: the same one, or the one by which its caller asked
    /// last.
    func asker(of call: InboundCall) -> InboundCall {
        call.mayComeAgain ? self.answers.asker(of: call, from: self.caller(of: call)) : call
    }

    /// The answers that are remembered, with that of a call that has run and is not concluded yet.
    func stored(adding stored: Data, of call: InboundCall) -> StoredAnswers {
        StoredAnswers(self.answers, adding: (self.caller(of: call), stored))
    }

    /// What a runner does that has finished a call, or has just begun.
    enum Turn {
        /// Run this call.
        case run(InboundCall)
        /// End, and start another runner in its place, because its task was cancelled and would cancel the next call.
        case replace
        /// End: nothing waits, or another runner has taken over.
        case end
        /// The same, and somebody is to be told that nothing waits or runs.
        case endIdle
    }

    /// - Parameter now: nanoseconds of a steady clock.
    mutating func next(for runner: MailboxRunner, now: UInt64 = 0) -> Turn {
        self.finish(runner, now: now)
        let departure = runner.departure
        if departure == .released { return self.end() }
        guard !self.waiting.isEmpty else {
            self.runners -= 1
            return self.end()
        }
        if departure == .cancelled { return .replace }
        let call = self.waiting.removeFirst()
        self.running.append((call, runner, now))
        return .run(call)
    }

    private mutating func end() -> Turn {
        guard self.isWatched, self.isIdle else { return .end }
        self.isWatched = false
        return .endIdle
    }

    /// Whether no call waits or runs.
    private var isIdle: Bool { self.waiting.isEmpty && self.running.isEmpty }

    /// Has `next` say when no call waits or runs. Returns false when that is so already.
    mutating func watchIdle() -> Bool {
        self.isWatched = !self.isIdle
        return self.isWatched
    }

    /// Refuses calls from now on; those that wait still run.
    mutating func refuseFurther(with error: MeshError) {
        if self.closed == nil { self.closed = error }
    }

    /// Lets the next call start although the one that runs has not ended: it only waits from now on before it answers.
    /// Returns whether a runner must be started. Calls that run side by side anyway need no such thing.
    mutating func release() -> Bool {
        guard self.limit == 1, let runner = self.running.first(where: { $0.runner.departure != .released })?.runner
        else { return false }
        runner.release()
        if self.waiting.isEmpty {
            self.runners -= 1
            return false
        }
        return true
    }

    private mutating func finish(_ runner: MailboxRunner, now: UInt64) {
        if let index = self.running.firstIndex(where: { $0.runner === runner }) {
            let since = self.running[index].since
            self.counts.record(nanoseconds: now > since ? now - since : 0)
            self.running.swapAt(index, self.running.count - 1)
            self.running.removeLast()
        }
    }

    /// The call that runs ends with an error.
    mutating func noteFailure() { self.counts.noteFailure() }

    enum Cancellation {
        /// It had not started; nobody will run it.
        case removed(InboundCall)
        /// It runs; the runner's task is to be cancelled.
        case running(MailboxRunner)
        case unknown
    }

    /// A runner that works for the call is marked here and now, so that it takes no other call before its task is
    /// cancelled. One-way messages have no number and cannot be cancelled.
    mutating func cancel(_ key: CallKey) -> Cancellation {
        if let running = self.running.first(where: { $0.call.key == key && !$0.call.isOneWay }) {
            running.runner.markCancelled()
            return .running(running.runner)
        }
        if let index = self.waiting.firstIndex(where: { $0.key == key && !$0.isOneWay }) {
            return .removed(self.waiting.remove(at: index))
        }
        // It may have been here already when it came again by this name.
        guard let original = self.answers.original(of: key, from: key.origin ?? self.process), original != key else {
            return .unknown
        }
        return self.cancel(original)
    }

    /// Messages that run side by side end in any order, so credit is not due when the one that asked has run, but when
    /// as many have run as had arrived with it. Without that what ends last would never be credited.
    private mutating func noteArrival(_ call: InboundCall) {
        guard var count = self.oneWayCount(of: call) else { return }
        count.arrived += 1
        if call.wantsCredit { count.due.append(count.arrived) }
        self.oneWay[call.origin?.id] = count
    }

    /// Counts a one-way message that has run. Returns how many more of its caller's have, when the caller is to be told.
    mutating func completedOneWay(_ call: InboundCall) -> UInt64? {
        guard var count = self.oneWayCount(of: call) else { return nil }
        count.completed += 1
        var isDue = self.limit == 1 && call.wantsCredit
        while let next = count.due.first, next <= count.completed {
            count.due.removeFirst()
            isDue = true
        }
        let credit = count.completed - count.credited
        if isDue { count.credited = count.completed }
        self.oneWay[call.origin?.id] = count
        return isDue ? credit : nil
    }

    /// What has been counted of the caller of a one-way message; nil when it came by a link that has been replaced.
    private func oneWayCount(of call: InboundCall) -> OneWayCount? {
        guard let known = self.oneWay[call.origin?.id], known.link >= call.link else {
            return OneWayCount(link: call.link)
        }
        return known.link == call.link ? known : nil
    }

    /// Refuses calls from now on. Returns those that waited and those that run, with their runners.
    mutating func close(
        with error: MeshError
    ) -> (waiting: Deque<InboundCall>, running: [(call: InboundCall, runner: MailboxRunner)]) {
        if self.closed == nil { self.closed = error }
        var waiting: Deque<InboundCall> = []
        for call in self.waiting { waiting.append(self.refuse(call)) }
        self.waiting = []
        return (waiting, self.running.map { (self.asker(of: $0.call), $0.runner) })
    }

    /// A call that has come will not run. Returns the one that is to be told so: the same one, or that by which its
    /// caller asked last. Should the news be lost, and the call come again, it is not taken for one that is here.
    mutating func refuse(_ call: InboundCall) -> InboundCall {
        defer { if call.mayComeAgain { self.answers.drop(call, from: self.caller(of: call)) } }
        return self.asker(of: call)
    }

    /// Drops what waits from a caller that is gone, and names the runners that work for it. Its one-way messages run.
    ///
    /// - Parameters:
    ///   - mayComeAgain: whether calls that may be sent again are left alone.
    ///   - now: nanoseconds of a steady clock.
    mutating func forget(caller: PeerID, mayComeAgain: Bool, now: UInt64 = 0) -> [MailboxRunner] {
        func isForgotten(_ call: InboundCall) -> Bool {
            call.origin?.id == caller && !call.isOneWay && !(mayComeAgain && call.mayComeAgain)
        }
        for call in self.waiting where call.mayComeAgain && isForgotten(call) { self.answers.drop(call, from: caller) }
        self.answers.callerIsGone(caller, now: now)
        self.waiting.removeAll(where: isForgotten)
        self.oneWay[caller] = nil
        let runners = self.running.filter { isForgotten($0.call) }.map(\.runner)
        for runner in runners { runner.markCancelled() }
        return runners
    }
}
