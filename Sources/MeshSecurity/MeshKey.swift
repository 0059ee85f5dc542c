import CSodium
package import MeshCore
import Synchronization

/// The key of a process: what it shows to others, by what it knows them, and what it may do.
///
/// A mesh has one secret of 32 random bytes, the mesh key. From it come the key pairs of all roles (BLAKE2b key
/// derivation, `crypto_kdf` of libsodium; X25519 key pairs as CurveZMQ uses them, RFC 26 of ZeroMQ): one for all
/// members, one for each driver's and each observer's key. Who has the mesh key can derive every other; who has one of
/// those knows only its own secret and the members' public key.
package final class MeshKey: Sendable {
    package let identity: KeyIdentity
    /// What this process shows to others.
    package let pair: KeyPair
    /// What the members of the mesh show.
    package let members: PublicKey
    /// The mesh key itself, which only members have.
    private let root: Secret?
    private let derived = Mutex<[PublicKey: KeyIdentity]?>(nil)

    private init(identity: KeyIdentity, pair: KeyPair, members: PublicKey, root: Secret?) {
        self.identity = identity
        self.pair = pair
        self.members = members
        self.root = root
    }

    /// A new mesh key.
    package static func make() throws(MeshError) -> MeshKey {
        try MeshKey(root: Secret { randombytes_buf($0, Secret.count) })
    }

    /// The mesh key with that secret.
    package convenience init(root: Secret) throws(MeshError) {
        let pair = try KeyPair(secret: Self.derive(.member, from: root))
        self.init(identity: .member, pair: pair, members: pair.publicKey, root: root)
    }

    /// The key of a driver or an observer, as it was derived once.
    package convenience init(identity: KeyIdentity, secret: Secret, members: PublicKey) throws(MeshError) {
        self.init(identity: identity, pair: try KeyPair(secret: secret), members: members, root: nil)
    }

    /// The key of a lesser role.
    ///
    /// - Throws: `unauthorized` when this is not the mesh key.
    package func key(of identity: KeyIdentity) throws(MeshError) -> MeshKey {
        guard let root = self.root, identity != .member else {
            throw MeshError(
                .unauthorized, "Only the mesh key gives keys of other roles; this is a key of \(self.identity).")
        }
        return try MeshKey(identity: identity, secret: Self.derive(identity, from: root), members: self.members)
    }

    private static func derive(_ identity: KeyIdentity, from root: Secret) throws(MeshError) -> Secret {
        try Secret { secret in
            root.withBytes { root in
                // The context separates these keys from others that are derived from the same secret.
                _ = crypto_kdf_derive_from_key(secret, Secret.count, identity.tag, "ActrMesh", root)
            }
        }
    }

    /// The secret that a key file holds.
    var secret: Secret { self.root ?? self.pair.secret }

    /// Which key shows itself like that; nil when it is none of this mesh. Members alone know the keys of other roles.
    package func owner(of key: PublicKey) -> KeyIdentity? {
        if key == self.members { return .member }
        guard let root = self.root else { return nil }
        return self.derived.withLock { derived in
            let keys = derived ?? Self.publicKeys(from: root)
            derived = keys
            return keys[key]
        }
    }

    /// The public keys of the lesser roles. Made when a key comes that is not the members': about 2,000 of 30 µs.
    private static func publicKeys(from root: Secret) -> [PublicKey: KeyIdentity] {
        var keys: [PublicKey: KeyIdentity] = [:]
        for role in MeshRole.allCases where role != .member {
            for number in KeyIdentity.numbers {
                guard let identity = KeyIdentity(role, Int(number)),
                    let secret = try? Self.derive(identity, from: root),
                    let pair = try? KeyPair(secret: secret)
                else { continue }
                keys[pair.publicKey] = identity
            }
        }
        return keys
    }
}
