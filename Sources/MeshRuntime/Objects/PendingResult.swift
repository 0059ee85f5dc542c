package import MeshCore
import Synchronization

/// A result that is on its way: who waits for it, how to cancel the work, and whether the call behind it has been
/// accepted. The value itself is in the subclass, so that this part, which every call uses, is not generic.
///
/// `@unchecked Sendable`: its state is in a mutex; subclasses say why theirs is safe.
package class PendingResult: @unchecked Sendable {
    package let id: UniqueID
    let policy: BackPressure
    private let state = Mutex(State())
    /// What it needs once it is known in several processes.
    private let shared = Mutex(Shared())

    private struct Shared {
        var table: ObjectTable?
        /// This process's hold on it, from when it was first passed on or was received.
        var lease: HandleLease?
        /// Asks for it, when somebody first waits.
        var begin: (@Sendable () -> Task<Void, Never>)?
        /// Asks for it.
        var question: Task<Void, Never>?
        /// Where its owner is; nil for an own one.
        var owner: PeerAddress?
    }

    private struct State {
        var isComplete = false
        var isCancelled = false
        var waiters: [(number: Int, continuation: UnsafeContinuation<Void, Never>)] = []
        var nextWaiter = 0
        var task: Task<Void, Never>?
        var onCancel: (@Sendable () -> Void)?
        /// Stays when the result is there.
        var onLateCancel: (@Sendable () -> Void)?
        var isAccepted = false
        var submitter: UnsafeContinuation<Void, Never>?
    }

    /// - Parameter id: names it among all objects, and says who owns it.
    package init(_ id: UniqueID, policy: BackPressure = .wait) {
        self.id = id
        self.policy = policy
    }

    deinit {
        let (table, question) = self.shared.withLock { ($0.table, $0.question) }
        question?.cancel()
        table?.gone(self.id, ObjectIdentifier(self))
    }

    // MARK: In several processes

    /// The table of objects that it is in, once others refer to it or when it is another process's.
    var table: ObjectTable? { self.shared.withLock { $0.table } }

    /// Enters the table of this process.
    func enter(_ table: ObjectTable, lease: HandleLease) {
        self.shared.withLock { shared in
            shared.table = table
            shared.lease = lease
        }
    }

    /// Is another process's. Whoever waits for it first makes this one ask.
    func belongs(to owner: PeerAddress, begin: @escaping @Sendable () -> Task<Void, Never>) {
        self.shared.withLock { shared in
            shared.owner = owner
            shared.begin = begin
        }
    }

    /// This process's hold on it.
    var lease: HandleLease? { self.shared.withLock { $0.lease } }

    /// Where its owner is; nil for an own one.
    var owner: PeerAddress? { self.shared.withLock { $0.owner } }

    /// Asks for another process's object, unless that is being done.
    package func beginIfNeeded() {
        let begin = self.shared.withLock { shared in
            defer { shared.begin = nil }
            return shared.begin
        }
        guard let question = begin?() else { return }
        self.shared.withLock { $0.question = question }
    }

    package var failure: (any Error)? { nil }
    var anyOutcome: (any AnyObjectOutcome)? { nil }
    func fail(_ error: any Error) {}

    // MARK: Acceptance

    /// The call has been accepted: whoever submitted it goes on.
    package func accept() {
        let submitter = self.state.withLock { state in
            state.isAccepted = true
            defer { state.submitter = nil }
            return state.submitter
        }
        submitter?.resume()
    }

    /// Suspends until the call has been accepted, which it usually is at once.
    package func waitForAcceptance() async {
        if self.state.withLock({ $0.isAccepted }) { return }
        await withUnsafeContinuation { continuation in
            let isAccepted = self.state.withLock { state in
                if !state.isAccepted { state.submitter = continuation }
                return state.isAccepted
            }
            if isAccepted { continuation.resume() }
        }
    }

    // MARK: The result

    package var isComplete: Bool { self.state.withLock { $0.isComplete } }

    /// Marks the result as there, the first time, after `store` has put it in its place.
    ///
    /// - Returns: whether it was the first time.
    @discardableResult
    package func finish(_ store: () -> Void) -> Bool {
        let waiters = self.state.withLock { state -> [(number: Int, continuation: UnsafeContinuation<Void, Never>)]? in
            guard !state.isComplete else { return nil }
            store()
            state.isComplete = true
            state.task = nil
            state.onCancel = nil
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters ?? [] { waiter.continuation.resume() }
        return waiters != nil
    }

    /// Returns when the result is there or the waiting task is cancelled.
    package func wait() async {
        self.beginIfNeeded()
        let number = self.state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isDone = self.state.withLock { state -> Bool in
                    if state.isComplete || Task.isCancelled { return true }
                    state.waiters.append((number, continuation))
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            let waiter = self.state.withLock { state -> UnsafeContinuation<Void, Never>? in
                guard let index = state.waiters.firstIndex(where: { $0.number == number }) else { return nil }
                return state.waiters.remove(at: index).continuation
            }
            waiter?.resume()
        }
    }

    // MARK: Cancelling the work

    /// The task that does the work, until it is done.
    package func setTask(_ task: Task<Void, Never>) {
        let isCancelled = self.state.withLock { state in
            if !state.isComplete { state.task = task }
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    package func setCancel(_ action: @escaping @Sendable () -> Void) {
        let isCancelled = self.state.withLock { state in
            if !state.isComplete { state.onCancel = action }
            return state.isCancelled
        }
        if isCancelled { action() }
    }

    /// The work goes on though the result is there: this is how to cancel it.
    package func setLateCancel(_ action: @escaping @Sendable () -> Void) {
        let isCancelled = self.state.withLock { state in
            state.onLateCancel = action
            return state.isCancelled
        }
        if isCancelled { action() }
    }

    package func cancel() { self.beginCancelling()() }

    /// Whether the work has been cancelled: what is begun for it afterwards is cancelled at once.
    package var isCancelled: Bool { self.state.withLock { $0.isCancelled } }

    /// Marks the work as cancelled. Whoever calls this calls what it returns, which tells the work; meanwhile the result
    /// may be set.
    package func beginCancelling() -> () -> Void {
        let (task, actions) = self.state.withLock { state in
            state.isCancelled = true
            return (state.task, [state.onCancel, state.onLateCancel])
        }
        return {
            task?.cancel()
            for action in actions { action?() }
        }
    }
}
