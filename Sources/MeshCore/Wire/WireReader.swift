/// Why bytes from a peer were refused.
package struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

/// Reads the mesh's own headers from a frame; every read is checked against what is left.
package struct WireReader {
    package let bytes: UnsafeRawBufferPointer
    package private(set) var offset: Int

    package init(_ bytes: UnsafeRawBufferPointer, offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    package var isAtEnd: Bool { self.offset >= self.bytes.count }

    package mutating func readArrayHeader() throws -> Int {
        let head = try self.readByte()
        switch head {
        case 0x90...0x9f: return Int(head & 0x0f)
        case 0xdc: return Int(try self.readInteger(UInt16.self))
        case 0xdd: return Int(try self.readInteger(UInt32.self))
        default: throw WireError("expected an array, found byte \(head)")
        }
    }

    package mutating func readUInt() throws -> UInt64 {
        let head = try self.readByte()
        switch head {
        case 0..<0x80: return UInt64(head)
        case 0xcc: return UInt64(try self.readByte())
        case 0xcd: return UInt64(try self.readInteger(UInt16.self))
        case 0xce: return UInt64(try self.readInteger(UInt32.self))
        case 0xcf: return try self.readInteger(UInt64.self)
        default: throw WireError("expected an unsigned integer, found byte \(head)")
        }
    }

    /// A count or a size, small enough for the arithmetic that follows.
    package mutating func readCount() throws -> Int {
        let value = try self.readUInt()
        guard value <= UInt64(Int32.max) else { throw WireError("\(value) is too large for a count") }
        return Int(value)
    }

    package mutating func readID() throws -> UniqueID {
        let bytes = try self.readBinary()
        guard bytes.count == 16 else { throw WireError("an ID has 16 bytes, not \(bytes.count)") }
        return UniqueID(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }

    package mutating func readString(maximumBytes: Int = 65_536) throws -> String {
        guard let text = String(validating: try self.readText(maximumBytes), as: UTF8.self) else {
            throw WireError("a string is not UTF-8")
        }
        return text
    }

    /// Passes over a string, which is checked like one that is read, without making it.
    package mutating func skipString(maximumBytes: Int = 65_536) throws {
        let bytes = try self.readText(maximumBytes)
        guard (try? UTF8Span(validating: bytes.assumingMemoryBound(to: UInt8.self).span)) != nil else {
            throw WireError("a string is not UTF-8")
        }
    }

    private mutating func readText(_ maximumBytes: Int) throws -> UnsafeRawBufferPointer {
        let head = try self.readByte()
        let count: Int
        switch head {
        case 0xa0...0xbf: count = Int(head & 0x1f)
        case 0xd9: count = Int(try self.readByte())
        case 0xda: count = Int(try self.readInteger(UInt16.self))
        case 0xdb: count = Int(try self.readInteger(UInt32.self))
        default: throw WireError("expected a string, found byte \(head)")
        }
        guard count <= maximumBytes else { throw WireError("a string of \(count) bytes is too long here") }
        return try self.take(count)
    }

    package mutating func readOptionalString(maximumBytes: Int = 65_536) throws -> String? {
        try self.readNil() ? nil : try self.readString(maximumBytes: maximumBytes)
    }

    package mutating func skipOptionalString(maximumBytes: Int = 65_536) throws {
        if try !self.readNil() { try self.skipString(maximumBytes: maximumBytes) }
    }

    package mutating func readBinary() throws -> UnsafeRawBufferPointer {
        let range = try self.readBinaryRange()
        return UnsafeRawBufferPointer(rebasing: self.bytes[range])
    }

    package mutating func readBinaryRange() throws -> Range<Int> {
        let head = try self.readByte()
        let count: Int
        switch head {
        case 0xc4: count = Int(try self.readByte())
        case 0xc5: count = Int(try self.readInteger(UInt16.self))
        case 0xc6: count = Int(try self.readInteger(UInt32.self))
        default: throw WireError("expected binary, found byte \(head)")
        }
        _ = try self.take(count)
        return self.offset - count..<self.offset
    }

    /// Consumes a nil when one comes next.
    package mutating func readNil() throws -> Bool {
        guard self.offset < self.bytes.count else { throw WireError("the message ends too early") }
        guard self.bytes[self.offset] == 0xc0 else { return false }
        self.offset += 1
        return true
    }

    /// Whether an unsigned integer comes next (as opposed to a string).
    package var isAtUInt: Bool {
        guard self.offset < self.bytes.count else { return false }
        let head = self.bytes[self.offset]
        return head < 0x80 || (0xcc...0xcf).contains(head)
    }

    private mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count <= self.bytes.count - self.offset else { throw WireError("the message ends too early") }
        defer { self.offset += count }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.offset..<self.offset + count])
    }

    private mutating func readByte() throws -> UInt8 {
        guard self.offset < self.bytes.count else { throw WireError("the message ends too early") }
        defer { self.offset += 1 }
        return self.bytes[self.offset]
    }

    private mutating func readInteger<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Integer {
        let size = MemoryLayout<Integer>.size
        guard size <= self.bytes.count - self.offset else { throw WireError("the message ends too early") }
        defer { self.offset += size }
        return Integer(bigEndian: self.bytes.loadUnaligned(fromByteOffset: self.offset, as: Integer.self))
    }
}
