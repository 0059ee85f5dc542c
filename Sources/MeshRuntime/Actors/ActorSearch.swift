import MeshCore
import Synchronization

/// One question to the directory, where an actor is. It does not keep the reference alive for which it asks, and ends
/// with it.
final class ActorSearch: Sendable {
    private let actor: UniqueID
    private let incarnation: UInt64
    private let hasEnded: Bool
    private let state = Mutex(State())

    private struct State {
        var task: Task<Void, Never>?
        var isCancelled = false
    }

    /// - Parameters:
    ///   - incarnation: the life that was called.
    ///   - hasEnded: whether that life is known to be over.
    init(actor: UniqueID, incarnation: UInt64, hasEnded: Bool) {
        self.actor = actor
        self.incarnation = incarnation
        self.hasEnded = hasEnded
    }

    /// Asks, and tells the reference.
    func start(for reference: ActorReference) {
        let mesh = reference.mesh
        guard let directory = mesh.directory.withLock({ $0 }) else {
            return reference.notFound(MeshError(.shutDown, "This process has left its mesh."), by: self)
        }
        // Detached, because what is asked is no part of the call that found the actor missing.
        let task = Task.detached(executorPreference: mesh.executor) { [weak reference] in
            do throws(MeshError) {
                let location = try await directory.locate(
                    self.actor, after: self.incarnation, hasEnded: self.hasEnded)
                reference?.found(location, by: self)
            } catch {
                reference?.notFound(error, by: self)
            }
        }
        let isCancelled = self.state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    /// Nobody waits for the answer any more.
    func cancel() {
        let task = self.state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }
}
