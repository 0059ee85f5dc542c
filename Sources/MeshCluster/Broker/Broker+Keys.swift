import Distributed
import Logging
package import MeshCore
import MeshMessagePack
import MeshRuntime

/// Keys that are not valid any more.
extension Broker {
    /// Nobody gets in with a key from now on, and whoever has got in with it is shut out: here at once, and by every
    /// member when it is heard next. A store keeps it for the brokers to come.
    ///
    /// - Throws: `invalidArgument` for the mesh key itself, which every process has.
    package distributed func revoke(_ key: KeyIdentity) async throws {
        guard key != .member else {
            throw MeshError(
                .invalidArgument,
                "The mesh key is what all processes of a mesh know each other by. Make another, and start the mesh again "
                    + "with that.")
        }
        if self.revokedKeys.insert(key).inserted {
            _ = self.journal?.add([WellKnown.revokedKeys], [])
            self.beginWriting()
            self.actorSystem.logger.notice("a key was revoked", metadata: ["key": "\(key)"])
            self.actorSystem.revoke(self.revokedKeys)
        }
        try await self.stored()
    }

    /// The keys that were revoked.
    package distributed func allRevokedKeys() async throws -> Set<KeyIdentity> { self.revokedKeys }

    /// The keys that an earlier broker has revoked. They lie among the actors of a store, under a number that no actor
    /// has.
    static func takeRevokedKeys(from stored: inout StoredRegistry) throws(MeshError) -> Set<KeyIdentity> {
        guard let data = stored.actors.removeValue(forKey: WellKnown.revokedKeys) else { return [] }
        do {
            return try MessagePackDecoder().decode(Set<KeyIdentity>.self, from: data)
        } catch {
            throw MeshError(
                .systemFailure,
                "The revoked keys in the broker's store cannot be read; another version has written them.",
                cause: error)
        }
    }
}
