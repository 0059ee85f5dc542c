import MeshCore
import Testing

@testable import MeshSecurity

@Suite struct MeshKeyTests {
    private static func secret(_ byte: UInt8) throws -> Secret {
        try Secret { for index in 0..<Secret.count { $0[index] = byte } }
    }

    private static func key(_ role: MeshRole, _ number: Int) throws -> KeyIdentity {
        try #require(KeyIdentity(role, number))
    }

    @Test("keys of lesser roles are derived the same way every time, and all differ")
    func derivation() throws {
        let mesh = try MeshKey(root: Self.secret(7))
        let again = try MeshKey(root: Self.secret(7))
        let other = try MeshKey(root: Self.secret(8))
        var seen: Set<PublicKey> = [mesh.members, other.members]
        #expect(seen.count == 2)
        #expect(mesh.members == again.members)
        for identity in [try Self.key(.driver, 1), try Self.key(.observer, 1), try Self.key(.observer, 1023)] {
            let derived = try mesh.key(of: identity)
            #expect(try again.key(of: identity).pair.publicKey == derived.pair.publicKey)
            #expect(seen.insert(derived.pair.publicKey).inserted)
            #expect(derived.identity == identity)
            #expect(derived.members == mesh.members)
        }
    }

    @Test("the derivation is fixed: keys that were given out stay valid")
    func goldenKey() throws {
        let mesh = try MeshKey(root: Self.secret(1))
        #expect(mesh.members.description == Self.golden.members)
        #expect(try mesh.key(of: Self.key(.observer, 7)).pair.publicKey.description == Self.golden.observer7)
    }

    /// Computed by another program: BLAKE2b of Python's hashlib, and X25519 after RFC 7748.
    private static let golden = (
        members: "2d6dbd298df258b8150d76d393ce6603622bdb40c57ac9bfdf89e4a35cbae869",
        observer7: "b7ac05904910b633014be47937449b108827c1a8d12e869bb7c9a41bcd5b7c05"
    )

    @Test("members know the keys of their mesh, with any role, and no others")
    func owners() throws {
        let mesh = try MeshKey(root: Self.secret(7))
        let other = try MeshKey(root: Self.secret(8))
        #expect(mesh.owner(of: mesh.members) == .member)
        #expect(mesh.owner(of: other.members) == nil)
        for identity in [try Self.key(.driver, 1), try Self.key(.observer, 1023)] {
            #expect(mesh.owner(of: try mesh.key(of: identity).pair.publicKey) == identity)
            #expect(mesh.owner(of: try other.key(of: identity).pair.publicKey) == nil)
        }
    }

    @Test("who has a lesser key knows members, nobody else, and derives nothing")
    func lesserKeys() throws {
        let mesh = try MeshKey(root: Self.secret(7))
        let observer = try mesh.key(of: Self.key(.observer, 7))
        #expect(observer.owner(of: mesh.members) == .member)
        #expect(observer.owner(of: observer.pair.publicKey) == nil)
        #expect(throws: MeshError.self) { try observer.key(of: Self.key(.observer, 8)) }
        #expect(throws: MeshError.self) { try mesh.key(of: .member) }
    }

    @Test("a secret does not show itself")
    func description() throws {
        let secret = try Self.secret(0xab)
        #expect("\(secret)" == "(secret)")
        var dump = ""
        Swift.dump(try MeshKey(root: secret), to: &dump)
        #expect(!dump.lowercased().contains("abababab"))
        #expect(!dump.contains("171, 171") && !dump.contains("- 171\n"))
    }
}
