import CMeshPlatform
import Glibc
import Logging
import MeshCore
package import MeshRuntime
import Synchronization

/// A worker's permission to act, which it asks its node for again and again. When the node does not answer for so long
/// that its actors may have been started elsewhere, the worker ends: two of one actor never answer.
package enum NodeTether {
    /// Begins to renew the lease, and ends this process when it runs out.
    package static func keep(on mesh: Mesh, from node: NodeAgent) {
        let box = LeaseBox()
        // A node that is stopped before it has ever answered counts as well.
        box.renewed(askedAt: cmesh_monotonic_nanoseconds(), for: mesh.settings.leaseTime.nanoseconds, on: mesh)
        self.scheduleRenewal(mesh, node, box, after: 1)
        self.scheduleCheck(mesh, box)
    }

    private final class LeaseBox: Sendable {
        let lease = Mutex(MemberLease())

        func renewed(askedAt time: UInt64, for duration: UInt64, on mesh: Mesh) {
            self.lease.withLock { lease in
                lease.renewed(askedAt: time, for: duration)
                mesh.mayActUntil.store(lease.end ?? .max, ordering: .relaxed)
            }
        }
    }

    private static func scheduleRenewal(
        _ mesh: Mesh, _ node: NodeAgent, _ box: LeaseBox, after interval: UInt64
    ) {
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + interval) { [weak mesh] in
            guard let mesh, !mesh.isStopped else { return }
            mesh.detach {
                mesh.reportMetrics()
                let askedAt = cmesh_monotonic_nanoseconds()
                let granted = try? await mesh.withDeadline(mesh.settings.leaseTime / 3) {
                    try await node.renew(mesh.address.peer, askedAt: askedAt)
                }
                if let granted {
                    box.renewed(askedAt: askedAt, for: granted.duration, on: mesh)
                    if granted.revokedKeys != mesh.revoked.digest, let keys = try? await node.revokedKeys() {
                        mesh.revoke(keys)
                    }
                }
                self.scheduleRenewal(mesh, node, box, after: mesh.settings.heartbeatInterval.nanoseconds)
            }
        }
    }

    private static func scheduleCheck(_ mesh: Mesh, _ box: LeaseBox) {
        let interval = mesh.settings.heartbeatInterval.nanoseconds / 4
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + interval) { [weak mesh] in
            guard let mesh, !mesh.isStopped else { return }
            if box.lease.withLock({ $0.isNewlyLost(at: cmesh_monotonic_nanoseconds()) }) {
                mesh.logger.error(
                    "the node, or its broker, was not heard for the lease time: this worker and its actors end")
                _exit(EX_UNAVAILABLE)
            }
            self.scheduleCheck(mesh, box)
        }
    }
}
