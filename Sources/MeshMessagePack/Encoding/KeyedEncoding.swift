/// A map being written.
struct KeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: EncodingNode

    var codingPath: [any CodingKey] { self.node.codingPath }

    mutating func encodeNil(forKey key: Key) throws {
        try self.node.writeEntry(key, key) { self.node.buffer.packNil() }
    }

    mutating func encode(_ value: Bool, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(value) }
    }

    mutating func encode(_ value: String, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { try self.node.writeString(value) }
    }

    mutating func encode(_ value: Double, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(value) }
    }

    mutating func encode(_ value: Float, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(value) }
    }

    mutating func encode(_ value: Int, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(Int64(value)) }
    }

    mutating func encode(_ value: Int8, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(Int64(value)) }
    }

    mutating func encode(_ value: Int16, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(Int64(value)) }
    }

    mutating func encode(_ value: Int32, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(Int64(value)) }
    }

    mutating func encode(_ value: Int64, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(Int64(value)) }
    }

    mutating func encode(_ value: UInt, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(UInt64(value)) }
    }

    mutating func encode(_ value: UInt8, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(UInt64(value)) }
    }

    mutating func encode(_ value: UInt16, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(UInt64(value)) }
    }

    mutating func encode(_ value: UInt32, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(UInt64(value)) }
    }

    mutating func encode(_ value: UInt64, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { self.node.buffer.pack(UInt64(value)) }
    }

    mutating func encode(_ value: some Encodable, forKey key: Key) throws {
        try self.node.writeEntry(key, value) { try self.node.place(.key(key)).write(value) }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        self.node.makeEntryPart(key, continuing: .map).container(keyedBy: keyType)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        self.node.makeEntryPart(key, continuing: .array).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder {
        self.node.makeEntryPart(PathIndex.superKey, continuing: nil)
    }

    mutating func superEncoder(forKey key: Key) -> any Encoder {
        self.node.makeEntryPart(key, continuing: nil)
    }
}
