import DequeModule
import MeshCore

/// The calls of one actor: which wait, which run, and how many may run at once. A value without clocks or tasks.
///
/// With a limit of 1 a call runs to its end before the next one starts (C1), and calls start in the order in which
/// they arrived, which for one caller is the order in which it made them (C2).
struct MailboxState: ~Copyable {
    private(set) var waiting: Deque<InboundCall> = []
    private(set) var running: [(call: InboundCall, runner: MailboxRunner)] = []
    private(set) var runners = 0
    private(set) var limit: Int
    private(set) var closed: MeshError?
    /// How many one-way messages of each caller have run, for its window.
    private var completedOneWay: [PeerID?: UInt64] = [:]
    /// Callers that were told a total while others of their messages still ran: they are told of each of those, too.
    private var owedCredit: Set<PeerID?> = []

    init(limit: Int) { self.limit = max(1, limit) }

    enum Arrival {
        /// A runner must be started for it.
        case start
        /// A runner will come to it.
        case wait
        /// The actor has ended.
        case refused(MeshError)
    }

    mutating func arrive(_ call: InboundCall) -> Arrival {
        if let closed { return .refused(closed) }
        self.waiting.append(call)
        guard self.runners < self.limit else { return .wait }
        self.runners += 1
        return .start
    }

    /// What a runner does that has finished a call, or has just begun.
    enum Turn {
        /// Run this call.
        case run(InboundCall)
        /// End, and start another runner in its place, because its task was cancelled and would cancel the next call.
        case replace
        /// End: nothing waits, or another runner has taken over.
        case end
    }

    mutating func next(for runner: MailboxRunner) -> Turn {
        self.finish(runner)
        let departure = runner.departure
        if departure == .released { return .end }
        guard !self.waiting.isEmpty else {
            self.runners -= 1
            return .end
        }
        if departure == .cancelled { return .replace }
        let call = self.waiting.removeFirst()
        self.running.append((call, runner))
        return .run(call)
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

    private mutating func finish(_ runner: MailboxRunner) {
        if let index = self.running.firstIndex(where: { $0.runner === runner }) {
            self.running.swapAt(index, self.running.count - 1)
            self.running.removeLast()
        }
    }

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
        return .unknown
    }

    /// Counts a one-way message that has run. Returns the caller's total, if it is to be told.
    ///
    /// Only some messages ask for credit. With calls side by side such a message may end before earlier ones, which
    /// nobody would count otherwise until the next one asks; and that one may be waiting for their room.
    mutating func completedOneWay(_ call: InboundCall) -> UInt64? {
        let caller = call.origin?.id
        self.completedOneWay[caller, default: 0] += 1
        let isOwed = self.running.count > 1 || !self.owedCredit.isEmpty ? self.updateOwedCredit(call) : false
        return call.wantsCredit || isOwed ? self.completedOneWay[caller] : nil
    }

    private mutating func updateOwedCredit(_ call: InboundCall) -> Bool {
        let caller = call.origin?.id
        let isOwed = self.owedCredit.contains(caller)
        // The one that has ended is still among those that run.
        if self.running.count(where: { $0.call.origin?.id == caller && $0.call.isOneWay }) <= 1 {
            self.owedCredit.remove(caller)
        } else if call.wantsCredit {
            self.owedCredit.insert(caller)
        }
        return isOwed
    }

    /// Refuses calls from now on. Returns those that waited and those that run, with their runners.
    mutating func close(
        with error: MeshError
    ) -> (waiting: Deque<InboundCall>, running: [(call: InboundCall, runner: MailboxRunner)]) {
        if self.closed == nil { self.closed = error }
        defer { self.waiting = [] }
        return (self.waiting, self.running)
    }

    /// Drops what waits from a caller that is gone, and names the runners that work for it. Its one-way messages run.
    mutating func forget(caller: PeerID) -> [MailboxRunner] {
        self.waiting.removeAll { $0.origin?.id == caller && !$0.isOneWay }
        self.completedOneWay[caller] = nil
        self.owedCredit.remove(caller)
        let runners = self.running.filter { $0.call.origin?.id == caller && !$0.call.isOneWay }.map(\.runner)
        for runner in runners { runner.markCancelled() }
        return runners
    }
}
