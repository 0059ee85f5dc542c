/// An array being read, one element after another.
struct UnkeyedDecoding: UnkeyedDecodingContainer {
    private let decoder: ValueDecoder
    private let total: Int
    private var position: Position
    private(set) var currentIndex = 0

    init(decoder: ValueDecoder) throws {
        let head: Head
        do throws(Flaw) {
            head = try decoder.session.head(at: decoder.position)
            guard head.kind == .array else { throw Flaw.mismatch(found: head.kind) }
        } catch {
            throw decoder.failure(error, expected: [Any].self)
        }
        self.decoder = decoder
        self.total = Int(head.bits)
        self.position = Position(offset: head.body, container: decoder.position.container + 1)
    }

    var codingPath: [any CodingKey] { self.decoder.codingPath }
    var count: Int? { self.total }
    var isAtEnd: Bool { self.currentIndex >= self.total }

    /// Moves on only if there is a nil.
    mutating func decodeNil() throws -> Bool {
        let isNil = try self.peek(Any?.self) { head throws(Flaw) in head.kind == .null }
        if isNil { try self.advance() }
        return isNil
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool {
        try self.scalar(type) { head throws(Flaw) in try head.bool() }
    }

    mutating func decode(_ type: String.Type) throws -> String {
        let session = self.decoder.session
        return try self.scalar(type) { head throws(Flaw) in try session.string(head) }
    }

    mutating func decode(_ type: Double.Type) throws -> Double {
        try self.scalar(type) { head throws(Flaw) in try head.double() }
    }

    mutating func decode(_ type: Float.Type) throws -> Float {
        try self.scalar(type) { head throws(Flaw) in try head.float() }
    }

    mutating func decode(_ type: Int.Type) throws -> Int {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    mutating func decode(_ type: Int8.Type) throws -> Int8 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    mutating func decode(_ type: Int16.Type) throws -> Int16 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    mutating func decode(_ type: Int32.Type) throws -> Int32 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    mutating func decode(_ type: Int64.Type) throws -> Int64 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    mutating func decode(_ type: UInt.Type) throws -> UInt {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    mutating func decode(_ type: UInt8.Type) throws -> UInt8 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    mutating func decode(_ type: UInt16.Type) throws -> UInt16 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    mutating func decode(_ type: UInt32.Type) throws -> UInt32 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    mutating func decode(_ type: UInt64.Type) throws -> UInt64 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try self.checkNotAtEnd(type)
        let value = try self.decoder.place(self.position, .index(self.currentIndex)).read(type)
        try self.advance()
        return value
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        let container = try self.nested(type).container(keyedBy: type)
        try self.advance()
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try self.nested([Any].self).unkeyedContainer()
        try self.advance()
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try self.nested((any Decoder).self)
        try self.advance()
        return decoder
    }

    private func nested(_ type: Any.Type) throws -> ValueDecoder {
        try self.checkNotAtEnd(type)
        return ValueDecoder(place: self.decoder.place(self.position, .index(self.currentIndex)))
    }

    @inline(__always)
    private mutating func advance() throws {
        do throws(Flaw) {
            self.position = try self.decoder.session.step(over: self.position)
        } catch {
            throw self.decoder.failure(error, expected: Any.self, PathIndex(self.currentIndex))
        }
        self.currentIndex += 1
    }

    @inline(__always)
    private func checkNotAtEnd(_ type: Any.Type) throws {
        if self.isAtEnd {
            throw DecodingError.valueNotFound(
                type,
                .init(
                    codingPath: self.codingPath + [PathIndex(self.currentIndex)],
                    debugDescription: "The array ends before this element."
                )
            )
        }
    }

    @inline(__always)
    private func peek<R>(_ type: Any.Type, _ read: (Head) throws(Flaw) -> R) throws -> R {
        try self.checkNotAtEnd(type)
        do throws(Flaw) {
            return try read(self.decoder.session.head(at: self.position))
        } catch {
            throw self.decoder.failure(error, expected: type, PathIndex(self.currentIndex))
        }
    }

    @inline(__always)
    private mutating func scalar<R>(_ type: Any.Type, _ read: (Head) throws(Flaw) -> R) throws -> R {
        let value = try self.peek(type, read)
        try self.advance()
        return value
    }
}
