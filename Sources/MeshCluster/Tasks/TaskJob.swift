package import MeshRuntime
import Synchronization

/// A task that waits for a worker or runs in one.
package struct TaskJob: Sendable {
    /// Is told what a task came to, and how to cancel what it still does then.
    package typealias Finish =
        @Sendable (Result<EncodedOutcome, any Error>, _ cancel: @escaping @Sendable () -> Void) -> Void

    var spec: TaskSpec
    var attemptsLeft: Int?
    let work: TaskWork

    init(_ spec: TaskSpec, attemptsLeft: Int?, finish: @escaping Finish) {
        self.spec = spec
        self.attemptsLeft = attemptsLeft
        self.work = TaskWork(finish)
    }

    /// The task has come to something. Keeps nothing of whoever waited for that.
    func end(_ result: Result<EncodedOutcome, any Error>) {
        self.work.takeFinish()?(result) { [work] in work.cancel() }
    }
}

/// The call that runs a task, or that asks for a worker, to be cancelled.
final class TaskWork: Sendable {
    private struct State {
        var isCancelled = false
        var call: Task<Void, Never>?
        var finish: TaskJob.Finish?
    }

    private let state: Mutex<State>

    init(_ finish: TaskJob.Finish? = nil) { self.state = Mutex(State(finish: finish)) }

    func begin(_ call: Task<Void, Never>) {
        let isCancelled = self.state.withLock { state in
            state.call = call
            return state.isCancelled
        }
        if isCancelled { call.cancel() }
    }

    var isCancelled: Bool { self.state.withLock { $0.isCancelled } }

    func cancel() {
        let call = self.state.withLock { state in
            state.isCancelled = true
            return state.call
        }
        call?.cancel()
    }

    /// Who is to be told what the task came to; nil once that was done.
    func takeFinish() -> TaskJob.Finish? {
        self.state.withLock { state in
            defer { state.finish = nil }
            return state.finish
        }
    }
}
