internal import Synchronization

/// A type that writes itself without a `Codable` container.
///
/// Values pass as raw pointers so that an unspecialised generic caller pays one indirect call: no box, no cast.
protocol NativelyEncodable {
    /// Writes the value behind the pointer, which must be of this type.
    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws
}

/// A type that reads itself without a `Codable` container.
protocol NativelyDecodable {
    /// Reads a value and initializes the memory behind the pointer with it; after an error that is still
    /// uninitialized.
    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws
}

/// A fixed-width number whose arrays can be copied as raw bytes.
protocol NumericElement {
    static var elementCode: NumericElementCode { get }
}

/// What the coders need to know about a type, found by casts once and by pointer afterwards.
struct TypeTraits {
    let type: ObjectIdentifier
    let encodes: (any NativelyEncodable.Type)?
    let decodes: (any NativelyDecodable.Type)?
    let elementCode: NumericElementCode?
}

/// Remembers the traits of every type met. A dynamic cast costs tens to hundreds of nanoseconds, as much as encoding a
/// small struct, so it is made once per type.
///
/// Traits are allocated once per type and never freed, as the runtime's own metadata; that makes the recent ones
/// readable without a lock.
enum TypeTable {
    private static let known = Mutex<[ObjectIdentifier: UInt]>([:])
    private static let recent = RecentTraits()

    @inline(__always)
    static func traits(of type: Any.Type) -> UnsafePointer<TypeTraits> {
        let identifier = ObjectIdentifier(type)
        if let traits = self.recent.find(identifier) { return traits }
        return self.lookUp(type, identifier)
    }

    @inline(never)
    private static func lookUp(_ type: Any.Type, _ identifier: ObjectIdentifier) -> UnsafePointer<TypeTraits> {
        let address = self.known.withLock { known in
            if let address = known[identifier] { return address }
            let traits = UnsafeMutablePointer<TypeTraits>.allocate(capacity: 1)
            traits.initialize(
                to: TypeTraits(
                    type: identifier,
                    encodes: type as? any NativelyEncodable.Type,
                    decodes: type as? any NativelyDecodable.Type,
                    elementCode: (type as? any NumericElement.Type)?.elementCode
                )
            )
            let address = UInt(bitPattern: traits)
            known[identifier] = address
            return address
        }
        self.recent.insert(address, identifier)
        // The address came from a pointer a few lines up and is never zero.
        return UnsafePointer(bitPattern: address).unsafelyUnwrapped
    }
}

/// A direct-mapped cache of traits, one atomic word each; a collision only costs a look into the locked table.
private struct RecentTraits: ~Copyable, Sendable {
    private let slots: [256 of Atomic<UInt>]

    init() {
        self.slots = InlineArray { _ in Atomic<UInt>(0) }
    }

    @inline(__always)
    func find(_ type: ObjectIdentifier) -> UnsafePointer<TypeTraits>? {
        let address = self.slots[Self.slot(type)].load(ordering: .acquiring)
        let traits = UnsafePointer<TypeTraits>(bitPattern: address)
        return traits?.pointee.type == type ? traits : nil
    }

    func insert(_ address: UInt, _ type: ObjectIdentifier) {
        self.slots[Self.slot(type)].store(address, ordering: .releasing)
    }

    @inline(__always)
    private static func slot(_ type: ObjectIdentifier) -> Int {
        let bits = UInt(bitPattern: type)
        return Int(((bits >> 4) ^ (bits >> 12)) & 255)
    }
}
