package import MeshCore

/// A process's hold on an actor: one object for all of the process's counted handles to it, and for the messages on
/// their way that carry such handles. When the last of them goes, the hold is given back.
package final class HandleLease: Sendable {
    package let actor: UniqueID
    /// Tells it from an earlier lease of the same actor, whose end may be told late.
    private let number: UInt64
    private let mesh: Mesh

    init(actor: UniqueID, number: UInt64, mesh: Mesh) {
        self.actor = actor
        self.number = number
        self.mesh = mesh
    }

    deinit { self.mesh.leases.end(self.actor, number: self.number, on: self.mesh) }
}
