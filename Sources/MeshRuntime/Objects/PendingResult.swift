package import MeshCore
import Synchronization

/// A result that is on its way: who waits for it, how to cancel the work, and whether the call behind it has been
/// accepted. The value itself is in the subclass, so that this part, which every call uses, is not generic.
///
/// `@unchecked Sendable`: its state is in a mutex; subclasses say why theirs is safe.
package class PendingResult: @unchecked Sendable {
    package let id = UniqueID.make()
    let policy: BackPressure
    private let state = Mutex(State())

    private struct State {
        var isComplete = false
        var waiters: [(number: Int, continuation: UnsafeContinuation<Void, Never>)] = []
        var nextWaiter = 0
        var task: Task<Void, Never>?
        var onCancel: (@Sendable () -> Void)?
        var isAccepted = false
        var submitter: UnsafeContinuation<Void, Never>?
    }

    package init(policy: BackPressure = .wait) { self.policy = policy }

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
    package func finish(_ store: () -> Void) {
        let waiters = self.state.withLock { state in
            guard !state.isComplete else { return [(number: Int, continuation: UnsafeContinuation<Void, Never>)]() }
            store()
            state.isComplete = true
            state.task = nil
            state.onCancel = nil
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume() }
    }

    /// Returns when the result is there or the waiting task is cancelled.
    package func wait() async {
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
        self.state.withLock { if !$0.isComplete { $0.task = task } }
    }

    package func setCancel(_ action: @escaping @Sendable () -> Void) {
        self.state.withLock { if !$0.isComplete { $0.onCancel = action } }
    }

    package func cancel() {
        let (task, action) = self.state.withLock { ($0.task, $0.onCancel) }
        task?.cancel()
        action?()
    }
}
