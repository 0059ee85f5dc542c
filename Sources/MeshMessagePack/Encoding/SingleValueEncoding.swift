/// A single value being written.
struct SingleValueEncoding: SingleValueEncodingContainer {
    let node: EncodingNode

    var codingPath: [any CodingKey] { self.node.codingPath }

    mutating func encodeNil() throws {
        try self.node.writeSingle(Any?.none as Any) { self.node.buffer.packNil() }
    }

    mutating func encode(_ value: Bool) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(value) }
    }

    mutating func encode(_ value: String) throws {
        try self.node.writeSingle(value) { try self.node.writeString(value) }
    }

    mutating func encode(_ value: Double) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(value) }
    }

    mutating func encode(_ value: Float) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(value) }
    }

    mutating func encode(_ value: Int) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(Int64(value)) }
    }

    mutating func encode(_ value: Int8) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(Int64(value)) }
    }

    mutating func encode(_ value: Int16) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(Int64(value)) }
    }

    mutating func encode(_ value: Int32) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(Int64(value)) }
    }

    mutating func encode(_ value: Int64) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(Int64(value)) }
    }

    mutating func encode(_ value: UInt) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(UInt64(value)) }
    }

    mutating func encode(_ value: UInt8) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(UInt64(value)) }
    }

    mutating func encode(_ value: UInt16) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(UInt64(value)) }
    }

    mutating func encode(_ value: UInt32) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(UInt64(value)) }
    }

    mutating func encode(_ value: UInt64) throws {
        try self.node.writeSingle(value) { self.node.buffer.pack(UInt64(value)) }
    }

    mutating func encode(_ value: some Encodable) throws {
        try self.node.writeSingle(value) { try self.node.place(.none).write(value) }
    }
}
