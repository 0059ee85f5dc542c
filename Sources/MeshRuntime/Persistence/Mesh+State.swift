import Distributed
import MeshCore

extension Mesh {
    /// Forgets what is stored of persistent actors of a type under a key. A new actor with that key begins afresh. One
    /// that lives ends with its next save.
    ///
    /// - Throws: ``MeshError``: `systemFailure` when the store cannot do it.
    public func removeState<Act: PersistentActor>(of type: Act.Type, key: String) async throws {
        let key = StateKey(type: String(reflecting: type), key: key)
        guard let store = self.stateStore else { return }
        do {
            try await store.remove(key)
        } catch {
            throw MeshError(.systemFailure, "The state of \(key) cannot be removed.", cause: error)
        }
    }
}
