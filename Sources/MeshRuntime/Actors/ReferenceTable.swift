package import MeshCore
import Synchronization

/// One reference for each actor that this process has a handle to, so that all handles share one window and one order.
package final class ReferenceTable: Sendable {
    private struct Weak {
        weak var reference: ActorReference?
    }

    private let references = Mutex<[UniqueID: Weak]>([:])

    package init() {}

    package func reference(for fields: HandleFields, mesh: Mesh) -> ActorReference {
        let (reference, isNew) = self.references.withLock { references in
            if let known = references[fields.id]?.reference { return (known, false) }
            let reference = ActorReference(fields, mesh: mesh)
            references[fields.id] = Weak(reference: reference)
            return (reference, true)
        }
        // Not under the lock: calls that wait for the actor may leave now.
        if !isNew { reference.update(fields.location) }
        return reference
    }

    package func find(_ id: UniqueID) -> ActorReference? { self.references.withLock { $0[id]?.reference } }

    /// Called when the last handle has gone. Another may have come in the meantime.
    func forget(_ id: UniqueID) {
        self.references.withLock { references in
            if let entry = references[id], entry.reference == nil { references[id] = nil }
        }
    }

    /// Those that are there now.
    var all: [ActorReference] { self.references.withLock { $0.values.compactMap(\.reference) } }

    /// Tells all that a process is gone or out of reach.
    func lose(at peer: PeerID, hasEnded: Bool, because reason: MeshError) {
        for reference in self.all { reference.lose(at: peer, hasEnded: hasEnded, because: reason) }
    }

    func endAll(with error: MeshError) {
        for reference in self.all { reference.end(with: error) }
    }
}
