public import FoundationEssentials

/// Reads `Decodable` values from MessagePack.
///
/// The input is not trusted. Its structure is checked before anything is made of it: whatever is wrong with the bytes,
/// the answer is a `DecodingError` with the coding path, and memory stays proportional to the input; <doc:MessagePack>
/// gives the factor.
///
/// The decoder is a value without state: one may be shared by any number of threads.
public struct MessagePackDecoder: Sendable {
    /// Values that `init(from:)` implementations find in `decoder.userInfo`.
    public var userInfo: [CodingUserInfoKey: any Sendable]

    /// How deep containers may nest. It bounds the stack that decoding takes; 128 unless set.
    public var maximumNestingDepth: Int

    /// Creates a decoder with an empty `userInfo`.
    public init() {
        self.userInfo = [:]
        self.maximumNestingDepth = MessagePackFormat.defaultNestingDepth
    }

    package init(userInfo: [CodingUserInfoKey: any Sendable]) {
        self.userInfo = userInfo
        self.maximumNestingDepth = MessagePackFormat.defaultNestingDepth
    }

    /// Returns the value that the data holds.
    ///
    /// - Throws: `DecodingError` when the data is not one complete value, not of the type, or has bytes left over; and
    ///   whatever the type's own `init(from:)` throws.
    public func decode<T: Decodable>(_ type: T.Type, from data: Data) throws -> T {
        try data.withUnsafeBytes { bytes in
            var offset = 0
            let value = try self.decode(type, from: bytes, offset: &offset)
            guard offset == bytes.count else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: [], debugDescription: "\(bytes.count - offset) bytes follow the value.")
                )
            }
            return value
        }
    }

    /// Reads one value and moves the offset behind it; after an error the offset is as it was.
    ///
    /// Scalars and strings are read at once, without a scan, a box or an allocation.
    /// - Parameters:
    ///   - owner: keeps the bytes alive. If given, large `Data` refers to the bytes instead of copying them.
    ///   - attachments: what the encoder's ``MessagePackAttachmentSink`` took, by index.
    package func decode<T: Decodable>(
        _ type: T.Type,
        from bytes: UnsafeRawBufferPointer,
        offset: inout Int,
        owner: AnyObject? = nil,
        attachments: [Data] = []
    ) throws -> T {
        precondition(offset >= 0, "an offset counts from the start of the bytes")
        if T.self == Int.self {
            let value = try Self.scalar(type, bytes, &offset) { head throws(Flaw) in try head.integer(as: Int.self) }
            return unsafeBitCast(value, to: T.self)
        }
        if T.self == String.self {
            let value = try Self.scalar(type, bytes, &offset) { head throws(Flaw) in try head.string(in: bytes) }
            return unsafeBitCast(value, to: T.self)
        }
        if T.self == Double.self {
            let value = try Self.scalar(type, bytes, &offset) { head throws(Flaw) in try head.double() }
            return unsafeBitCast(value, to: T.self)
        }
        if T.self == Bool.self {
            let value = try Self.scalar(type, bytes, &offset) { head throws(Flaw) in try head.bool() }
            return unsafeBitCast(value, to: T.self)
        }
        if MemoryLayout<T>.size <= 8 {
            if T.self == Int64.self { return unsafeBitCast(try Self.integer(Int64.self, bytes, &offset), to: T.self) }
            if T.self == Int32.self { return unsafeBitCast(try Self.integer(Int32.self, bytes, &offset), to: T.self) }
            if T.self == UInt.self { return unsafeBitCast(try Self.integer(UInt.self, bytes, &offset), to: T.self) }
            if T.self == UInt64.self { return unsafeBitCast(try Self.integer(UInt64.self, bytes, &offset), to: T.self) }
            if T.self == UInt32.self { return unsafeBitCast(try Self.integer(UInt32.self, bytes, &offset), to: T.self) }
            if T.self == UInt8.self { return unsafeBitCast(try Self.integer(UInt8.self, bytes, &offset), to: T.self) }
            if T.self == Float.self {
                let value = try Self.scalar(type, bytes, &offset) { head throws(Flaw) in try head.float() }
                return unsafeBitCast(value, to: T.self)
            }
        }
        return try self.decodeThroughSession(type, bytes, &offset, owner, attachments)
    }

    @inline(never)
    private func decodeThroughSession<T: Decodable>(
        _ type: T.Type,
        _ bytes: UnsafeRawBufferPointer,
        _ offset: inout Int,
        _ owner: AnyObject?,
        _ attachments: [Data]
    ) throws -> T {
        var end = offset
        let outline = try StructureScan.outline(bytes, at: &end, maximumDepth: self.maximumNestingDepth)
        let session = DecodingSession(
            bytes: bytes,
            outline: outline,
            userInfo: self.userInfo,
            owner: owner,
            attachments: attachments
        )
        defer { session.finish() }
        let position = Position(offset: offset, container: 0)
        let value = try DecodingPlace(session: session, position: position, parent: nil, key: .none).read(type)
        offset = end
        return value
    }

    private static func integer<T: FixedWidthInteger>(
        _ type: T.Type,
        _ bytes: UnsafeRawBufferPointer,
        _ offset: inout Int
    ) throws -> T {
        try self.scalar(type, bytes, &offset) { head throws(Flaw) in try head.integer(as: type) }
    }

    /// Checks the structure of one value and moves the offset behind it.
    package func skip(from bytes: UnsafeRawBufferPointer, offset: inout Int) throws {
        precondition(offset >= 0, "an offset counts from the start of the bytes")
        try StructureScan.skip(bytes, at: &offset, maximumDepth: self.maximumNestingDepth)
    }

    @inline(__always)
    private static func scalar<R>(
        _ type: Any.Type,
        _ bytes: UnsafeRawBufferPointer,
        _ offset: inout Int,
        _ read: (Head) throws(Flaw) -> R
    ) throws -> R {
        do throws(Flaw) {
            let head = try Head(bytes, at: offset)
            let value = try read(head)
            offset = head.end
            return value
        } catch {
            throw error.error(expected: type, path: [])
        }
    }
}
