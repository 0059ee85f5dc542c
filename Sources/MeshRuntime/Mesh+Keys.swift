package import MeshCore
import Synchronization

/// Keys that are not valid any more.
extension Mesh {
    package var revoked: Set<KeyIdentity> { self.revokedKeys.withLock { $0 } }

    /// Shuts out whoever has one of these keys, and lets nobody in who shows one.
    package func revoke(_ keys: Set<KeyIdentity>) {
        let added = self.revokedKeys.withLock { revoked in
            defer { revoked = keys }
            return keys.subtracting(revoked)
        }
        self.transport.revoke(keys)
        guard !added.isEmpty else { return }
        for peer in self.peers.all {
            guard let key = peer.id.key, key != .member, added.contains(key) else { continue }
            peer.sayGoodbye(reason: "the key of \(key) was revoked")
            self.lost(peer.id, because: MeshError(.unauthorized, "The key of \(key) was revoked."))
        }
    }
}
