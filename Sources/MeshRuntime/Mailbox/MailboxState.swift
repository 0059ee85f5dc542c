import DequeModule
import MeshCore

/// The calls of one actor: which wait, which run, and how many may run at once. A value without clocks or tasks.
///
/// With a limit of 1 a call runs to its end before the next one starts (C1), and calls start in the order in which
/// they arrived, which for one caller is the order in which it made them (C2).
struct MailboxState: ~Copyable {
    private(set) var waiting: Deque<InboundCall> = []
    private(set) var running: [(key: CallKey, runner: MailboxRunner)] = []
    private(set) var runners = 0
    private(set) var limit: Int
    private(set) var closed: MeshError?
    /// How many one-way messages of each caller have run, for its window.
    private var completedOneWay: [PeerID?: UInt64] = [:]

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

    /// The next call for a runner, which has finished the one before; nil ends the runner.
    mutating func next(for runner: MailboxRunner) -> InboundCall? {
        self.finish(runner)
        guard let call = self.waiting.popFirst() else {
            self.runners -= 1
            return nil
        }
        self.running.append((call.key, runner))
        return call
    }

    /// Forgets what the runner ran. A cancelled runner ends and, when calls wait, asks for another in its place.
    mutating func retire(_ runner: MailboxRunner) -> Bool {
        self.finish(runner)
        // A released one has been replaced.
        if runner.isReleased { return false }
        return self.replaceRunner()
    }

    /// Lets the next call start although the one that runs has not ended: it only waits from now on before it answers.
    /// Returns whether a runner must be started. Calls that run side by side anyway need no such thing.
    mutating func release() -> Bool {
        guard self.limit == 1, let runner = self.running.first(where: { !$0.runner.isReleased })?.runner else {
            return false
        }
        runner.release()
        return self.replaceRunner()
    }

    private mutating func replaceRunner() -> Bool {
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

    mutating func cancel(_ key: CallKey) -> Cancellation {
        if let running = self.running.first(where: { $0.key == key }) { return .running(running.runner) }
        if let index = self.waiting.firstIndex(where: { $0.key == key }) {
            return .removed(self.waiting.remove(at: index))
        }
        return .unknown
    }

    /// Counts a one-way message that has run. Returns the caller's total.
    mutating func completedOneWay(from caller: PeerID?) -> UInt64 {
        self.completedOneWay[caller, default: 0] += 1
        return self.completedOneWay[caller, default: 0]
    }

    /// Refuses calls from now on. Returns those that waited and the runners that run.
    mutating func close(with error: MeshError) -> (waiting: Deque<InboundCall>, running: [MailboxRunner]) {
        if self.closed == nil { self.closed = error }
        defer { self.waiting = [] }
        return (self.waiting, self.running.map(\.runner))
    }

    /// Drops what waits from a caller that is gone, and names the runners that work for it.
    mutating func forget(caller: PeerID) -> [MailboxRunner] {
        self.waiting.removeAll { $0.origin?.id == caller && !$0.isOneWay }
        self.completedOneWay[caller] = nil
        return self.running.filter { $0.key.origin == caller }.map(\.runner)
    }
}
