import Synchronization

/// The task that runs the calls of a mailbox, one after the other, until none waits.
///
/// A task cannot be un-cancelled, so when a running call is cancelled its runner's task is, and the runner makes room
/// for a new one when the call has ended. That costs nothing as long as nobody cancels.
final class MailboxRunner: Sendable {
    /// Why it takes no further call.
    enum Departure: UInt8, AtomicRepresentable {
        /// It does.
        case none
        /// The call that it runs was cancelled, and its task with it.
        case cancelled
        /// Another runner has taken over already.
        case released
    }

    private let departed = Atomic<Departure>(.none)
    private let isCancelled = Atomic<Bool>(false)
    private let task = Mutex<Task<Void, Never>?>(nil)

    var departure: Departure { self.departed.load(ordering: .sequentiallyConsistent) }

    func release() { self.departed.store(.released, ordering: .sequentiallyConsistent) }

    /// Keeps it from taking another call. The mailbox calls this in its lock; `cancel` follows outside of it.
    func markCancelled() {
        _ = self.departed.compareExchange(
            expected: .none, desired: .cancelled, ordering: .sequentiallyConsistent)
        self.isCancelled.store(true, ordering: .sequentiallyConsistent)
    }

    func start(on executor: MeshExecutor, _ body: @escaping @Sendable (MailboxRunner) async -> Void) {
        let task = Task(executorPreference: executor) { await body(self) }
        self.task.withLock { $0 = task }
        if self.isCancelled.load(ordering: .sequentiallyConsistent) { task.cancel() }
    }

    func cancel() {
        self.markCancelled()
        self.task.withLock { $0 }?.cancel()
    }
}
