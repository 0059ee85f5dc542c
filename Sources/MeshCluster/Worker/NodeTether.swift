import CMeshPlatform
import Glibc
import Logging
import MeshCore
package import MeshRuntime

/// A worker's permission to act, which it asks its node for again and again. When the node does not answer for so long
/// that its actors may have been started elsewhere, the worker ends: two of one actor never answer.
package enum NodeTether {
    /// Begins to renew the lease, and ends this process when it runs out.
    package static func keep(on mesh: Mesh, from node: NodeAgent) {
        // A node that is stopped before it has ever answered counts as well.
        self.renew(mesh, askedAt: cmesh_monotonic_nanoseconds(), for: mesh.settings.leaseTime.nanoseconds)
        self.scheduleRenewal(mesh, node, after: 1)
        self.scheduleCheck(mesh)
    }

    /// The node has answered. It may be too late: what has run out is not prolonged, and the next check ends this process.
    private static func renew(_ mesh: Mesh, askedAt time: UInt64, for duration: UInt64) {
        let end = time.addingReportingOverflow(duration)
        _ = mesh.actingPermit.prolong(to: end.overflow ? .max : end.partialValue) { cmesh_monotonic_nanoseconds() }
    }

    private static func scheduleRenewal(_ mesh: Mesh, _ node: NodeAgent, after interval: UInt64) {
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + interval) { [weak mesh] in
            guard let mesh, !mesh.isStopped else { return }
            mesh.detach {
                mesh.reportMetrics()
                let askedAt = cmesh_monotonic_nanoseconds()
                let granted = try? await mesh.withDeadline(mesh.settings.leaseTime / 3) {
                    try await node.renew(mesh.address.peer, askedAt: askedAt)
                }
                if let granted {
                    self.renew(mesh, askedAt: askedAt, for: granted.duration)
                    if granted.revokedKeys != mesh.revoked.digest, let keys = try? await node.revokedKeys() {
                        mesh.revoke(keys)
                    }
                }
                self.scheduleRenewal(mesh, node, after: mesh.settings.heartbeatInterval.nanoseconds)
            }
        }
    }

    private static func scheduleCheck(_ mesh: Mesh) {
        let interval = mesh.settings.heartbeatInterval.nanoseconds / 4
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + interval) { [weak mesh] in
            guard let mesh, !mesh.isStopped else { return }
            guard mesh.actingPermit.isValid(by: { cmesh_monotonic_nanoseconds() }) else {
                mesh.logger.error(
                    "the node, or its broker, was not heard for the lease time: this worker and its actors end")
                _exit(EX_UNAVAILABLE)
            }
            self.scheduleCheck(mesh)
        }
    }
}
