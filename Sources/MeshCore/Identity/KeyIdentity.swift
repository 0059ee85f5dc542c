/// What the holder of a key may do in a mesh.
package enum MeshRole: UInt8, Hashable, Sendable, Codable, CaseIterable {
    /// Everything: be its broker, its nodes and workers, spawn, call and kill.
    case member = 0
    /// Spawn, call, kill and look, but not be a broker, a node or a worker.
    case driver = 1
    /// List, tail and read metrics.
    case observer = 2
}

extension MeshRole: CustomStringConvertible {
    package var description: String {
        switch self {
        case .member: "member"
        case .driver: "driver"
        case .observer: "observer"
        }
    }

    /// The role of a name, as `description` gives it.
    package init?(_ name: String) {
        guard let role = Self.allCases.first(where: { $0.description == name }) else { return nil }
        self = role
    }
}

/// Names a key of a mesh: its role, and which of the keys of that role it is. The mesh key itself is the member's,
/// with number 0.
package struct KeyIdentity: Hashable, Sendable {
    package let role: MeshRole
    package let number: UInt16

    package static let member = KeyIdentity(unchecked: .member, 0)
    /// The numbers that keys of the lesser roles have. There are few enough to derive them all when an unknown key
    /// comes, so that nobody has to tell the processes of a mesh which keys were made.
    package static let numbers: ClosedRange<UInt16> = 1...1023

    private init(unchecked role: MeshRole, _ number: UInt16) {
        self.role = role
        self.number = number
    }

    /// Nil for a number that no key of the role has.
    package init?(_ role: MeshRole, _ number: Int) {
        guard role == .member ? number == 0 : Self.numbers.contains(UInt16(clamping: number)) else { return nil }
        self.init(unchecked: role, UInt16(number))
    }

    /// The identity as twelve bits, which the IDs of the holder's processes begin with.
    package var tag: UInt64 { UInt64(self.role.rawValue) << 10 | UInt64(self.number) }

    /// The identity with those bits; nil when no key has them.
    package init?(tag: UInt64) {
        guard tag < 1 << 12, let role = MeshRole(rawValue: UInt8(tag >> 10)) else { return nil }
        self.init(role, Int(tag & 1023))
    }
}

extension KeyIdentity: CustomStringConvertible {
    /// `observer 7`, `member`.
    package var description: String { self.role == .member ? "member" : "\(self.role) \(self.number)" }

    /// Reads what `description` writes.
    package init?(_ text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard let role = parts.first.flatMap({ MeshRole(String($0)) }), parts.count <= 2 else { return nil }
        guard parts.count == 2 else {
            guard role == .member else { return nil }
            self = .member
            return
        }
        guard role != .member, let number = Int(parts[1]) else { return nil }
        self.init(role, number)
    }
}

extension KeyIdentity: Codable {
    /// Reads the tag.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let tag = try container.decode(UInt64.self)
        guard let identity = KeyIdentity(tag: tag) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no key has the tag \(tag)")
        }
        self = identity
    }

    /// Writes the tag as an unsigned integer.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.tag)
    }
}

extension PeerID {
    /// A new ID for a process that has a key. Its first twelve bits say which, so that nobody can speak in the name of
    /// a process with more rights: whoever receives a message compares them with the key that it came by.
    package static func random(for key: KeyIdentity = .member) -> PeerID {
        PeerID(key.tag << 52 | UInt64.random(in: 1..<1 << 52))
    }

    /// Whether this is the ID of a process that has the key.
    package func belongs(to key: KeyIdentity) -> Bool { self.number >> 52 == key.tag }

    /// The role that the process says to have. A process without a key is a member.
    package var role: MeshRole { MeshRole(rawValue: UInt8(self.number >> 62)) ?? .observer }

    /// The key that the process says to have; nil for one that no key has.
    package var key: KeyIdentity? { KeyIdentity(tag: self.number >> 52) }
}

extension Set<KeyIdentity> {
    /// Tells sets apart without sending them: FNV-1a over the tags in order.
    package var digest: UInt64 {
        self.map(\.tag).sorted().reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1) &* 0x100_0000_01b3 }
    }
}
