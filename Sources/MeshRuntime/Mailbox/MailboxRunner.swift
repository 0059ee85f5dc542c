import Synchronization

/// The task that runs the calls of a mailbox, one after the other, until none waits.
///
/// A task cannot be un-cancelled, so when a running call is cancelled its runner's task is, and the runner makes room
/// for a new one when the call has ended. That costs nothing as long as nobody cancels.
final class MailboxRunner: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var isCancelled = false
        var isReleased = false
    }

    private let state = Mutex(State())

    /// Whether another runner takes over after the call that runs.
    var isLeaving: Bool { self.state.withLock { $0.isCancelled || $0.isReleased } }

    /// Whether another runner has taken over already.
    var isReleased: Bool { self.state.withLock { $0.isReleased } }

    func release() { self.state.withLock { $0.isReleased = true } }

    func start(on executor: MeshExecutor, _ body: @escaping @Sendable (MailboxRunner) async -> Void) {
        let task = Task(executorPreference: executor) { await body(self) }
        let isCancelled = self.state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    func cancel() {
        let task = self.state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }
}
