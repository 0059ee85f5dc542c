package import MeshCore
import Synchronization

/// A process's hold on an actor: one object for all of the process's counted handles to it, and for the messages on
/// their way that carry such handles. When the last of them goes, the hold is given back.
package final class HandleLease: Sendable {
    package let actor: UniqueID
    /// Tells it from an earlier lease of the same actor, whose end may be told late.
    private let number: UInt64
    private let mesh: Mesh
    /// What was sent to the actor is known by its reference. A message brings a lease before anybody reads the handle.
    private let reference = Mutex<ActorReference?>(nil)

    init(actor: UniqueID, number: UInt64, mesh: Mesh) {
        self.actor = actor
        self.number = number
        self.mesh = mesh
    }

    /// The handle has been read.
    func attach(_ reference: ActorReference) {
        self.reference.withLock { if $0 == nil { $0 = reference } }
    }

    deinit {
        let reference = self.reference.withLock { $0 }
        self.mesh.leases.end(self.actor, number: self.number, reference, on: self.mesh)
    }
}
