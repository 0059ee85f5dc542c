/// A map being read.
struct KeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    /// Its only field, since `KeyedDecodingContainer` copies the container for every value it decodes.
    private let decoder: ValueDecoder

    init(decoder: ValueDecoder) {
        self.decoder = decoder
    }

    var codingPath: [any CodingKey] { self.decoder.codingPath }

    var allKeys: [Key] {
        let bytes = self.decoder.session.bytes
        // A container kept beyond its decoder's call has no bytes left to look at.
        guard bytes.baseAddress != nil, let map = self.decoder.entries else { return [] }
        return map.entries.compactMap { entry in
            if let name = try? entry.head.string(in: bytes) { return Key(stringValue: name) }
            guard entry.head.kind.isInteger, let number = try? entry.head.integer(as: Int.self) else { return nil }
            return Key(intValue: number)
        }
    }

    func contains(_ key: Key) -> Bool { self.decoder.find(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool {
        try self.scalar(Any?.self, key) { head throws(Flaw) in head.kind == .null }
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        try self.scalar(type, key) { head throws(Flaw) in try head.bool() }
    }

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try self.scalar(type, key) { head throws(Flaw) in try self.decoder.session.string(head) }
    }

    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        try self.scalar(type, key) { head throws(Flaw) in try head.double() }
    }

    func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
        try self.scalar(type, key) { head throws(Flaw) in try head.float() }
    }

    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        try self.scalar(type, key) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 {
        try self.scalar(type, key) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 {
        try self.scalar(type, key) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 {
        try self.scalar(type, key) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 {
        try self.scalar(type, key) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt {
        try self.scalar(type, key) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 {
        try self.scalar(type, key) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 {
        try self.scalar(type, key) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 {
        try self.scalar(type, key) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 {
        try self.scalar(type, key) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try self.decoder.place(self.position(key), .key(key)).read(type)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try self.nested(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try self.nested(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        self.superDecoder(PathIndex.superKey)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        self.superDecoder(key)
    }

    /// A superclass that encoded nothing, or whose part is missing, finds nil, as with `JSONDecoder`.
    private func superDecoder(_ key: some CodingKey) -> any Decoder {
        ValueDecoder(place: self.decoder.place(self.decoder.find(key) ?? .absent, .key(key)))
    }

    private func nested(_ key: Key) throws -> ValueDecoder {
        ValueDecoder(place: self.decoder.place(try self.position(key), .key(key)))
    }

    @inline(__always)
    private func position(_ key: Key) throws -> Position {
        guard let position = self.decoder.find(key) else {
            throw DecodingError.keyNotFound(
                key,
                .init(codingPath: self.codingPath, debugDescription: "No value for the key \(key.stringValue).")
            )
        }
        return position
    }

    @inline(__always)
    private func scalar<R>(_ type: Any.Type, _ key: Key, _ read: (Head) throws(Flaw) -> R) throws -> R {
        let position = try self.position(key)
        do throws(Flaw) {
            return try read(self.decoder.session.head(at: position))
        } catch {
            throw self.decoder.failure(error, expected: type, key)
        }
    }
}
