internal import FoundationEssentials

/// The bytes that one call of the decoder reads, and what its values share.
///
/// The bytes belong to the caller for the length of the call. A type that keeps its decoder beyond that finds a session
/// without bytes, and gets errors instead of somebody else's memory.
final class DecodingSession {
    private(set) var bytes: UnsafeRawBufferPointer
    let outline: Outline
    let owner: AnyObject?
    let attachments: [Data]
    private let settings: [CodingUserInfoKey: any Sendable]

    /// Converted only when a type asks, because most do not and the conversion allocates.
    private(set) lazy var userInfo: [CodingUserInfoKey: Any] = self.settings

    init(
        bytes: UnsafeRawBufferPointer,
        outline: Outline,
        userInfo: [CodingUserInfoKey: any Sendable],
        owner: AnyObject?,
        attachments: [Data]
    ) {
        self.bytes = bytes
        self.outline = outline
        self.settings = userInfo
        self.owner = owner
        self.attachments = attachments
    }

    deinit {
        self.outline.deallocate()
        self.scratch?.deallocate()
    }

    // MARK: Scratch memory

    private static let scratchSize = 512
    private static let scratchAlignment = 16
    private var scratch: UnsafeMutableRawPointer?
    private var scratchUsed = 0

    /// Memory for one value while it is read. Values nest, so it is given back in the opposite order.
    @inline(__always)
    func takeScratch(_ size: Int, _ alignment: Int) -> UnsafeMutableRawPointer {
        let room = Self.roundedUp(size)
        if let scratch, alignment <= Self.scratchAlignment, self.scratchUsed + room <= Self.scratchSize {
            defer { self.scratchUsed += room }
            return scratch + self.scratchUsed
        }
        return self.makeScratch(size, alignment)
    }

    @inline(__always)
    func giveBackScratch(_ memory: UnsafeMutableRawPointer, _ size: Int) {
        if let scratch, memory >= scratch, memory < scratch + Self.scratchSize {
            self.scratchUsed -= Self.roundedUp(size)
        } else {
            memory.deallocate()
        }
    }

    @inline(never)
    private func makeScratch(_ size: Int, _ alignment: Int) -> UnsafeMutableRawPointer {
        guard self.scratch == nil, size <= Self.scratchSize, alignment <= Self.scratchAlignment else {
            return .allocate(byteCount: max(size, 1), alignment: alignment)
        }
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: Self.scratchSize, alignment: Self.scratchAlignment)
        self.scratch = scratch
        self.scratchUsed = Self.roundedUp(size)
        return scratch
    }

    /// At least one unit, so that no two values share an address.
    private static func roundedUp(_ size: Int) -> Int {
        max(size + self.scratchAlignment - 1, self.scratchAlignment) & ~(self.scratchAlignment - 1)
    }

    func finish() {
        self.bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    @inline(__always)
    func head(at position: Position) throws(Flaw) -> Head {
        if position.offset < 0 { return .null }
        return try Head(self.bytes, at: position.offset)
    }

    @inline(__always)
    func step(over position: Position) throws(Flaw) -> Position {
        try self.outline.step(over: position, in: self.bytes)
    }

    func string(_ head: Head) throws(Flaw) -> String {
        try head.string(in: self.bytes)
    }

    func body(of head: Head) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.bytes[head.body..<head.end])
    }
}

/// A value about to be read, and what its coding path is.
struct DecodingPlace {
    let session: DecodingSession
    var position: Position
    let parent: ValueDecoder?
    var key: PathKey

    var codingPath: [any CodingKey] {
        (self.parent?.codingPath ?? []) + (self.key.codingKey.map { [$0] } ?? [])
    }

    func head() throws(Flaw) -> Head { try self.session.head(at: self.position) }

    /// Runs a reader and says where it failed.
    @inline(__always)
    func locating<R>(_ type: Any.Type, _ body: () throws(Flaw) -> R) throws -> R {
        do {
            return try body()
        } catch {
            throw error.error(expected: type, path: self.codingPath)
        }
    }

    /// Reads a value the fastest way its type has.
    func read<T: Decodable>(_ type: T.Type) throws -> T {
        guard let native = TypeTable.traits(of: type).pointee.decodes else {
            return try T(from: ValueDecoder(place: self))
        }
        return try self.read(type, by: native)
    }

    func read<T>(_ type: T.Type, by native: any NativelyDecodable.Type) throws -> T {
        // Uninitialized memory, and not an optional whose type the runtime would have to look up for each value.
        let layout = (size: MemoryLayout<T>.size, alignment: MemoryLayout<T>.alignment)
        let memory = self.session.takeScratch(layout.size, layout.alignment)
        defer { self.session.giveBackScratch(memory, layout.size) }
        try native.read(into: memory, from: self)
        return memory.assumingMemoryBound(to: T.self).move()
    }

    func corrupted(_ description: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: self.codingPath, debugDescription: description))
    }
}
