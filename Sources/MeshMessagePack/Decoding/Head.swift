/// The first bytes of one value, read: its kind, its immediate bits or its size, and where its body lies.
///
/// Heads are read here and not by libmsgpack, for three reasons, each measured with its version 4.0: one
/// `msgpack_unpack_next` costs some 16 ns where this costs two or three, it refuses more than 32 levels of nesting, and
/// it allocates what a header announces, 24 bytes an element, before it has seen one.
struct Head {
    enum Kind: String {
        case null = "nil"
        case bool = "a boolean"
        case positive = "an integer"
        case negative = "a negative integer"
        case float32 = "a 32-bit float"
        case float64 = "a 64-bit float"
        case string = "a string"
        case binary = "bytes"
        case array = "an array"
        case map = "a map"
        case ext = "an extension value"

        var isInteger: Bool {
            @inline(__always) get { self == .positive || self == .negative }
        }

        var isContainer: Bool {
            @inline(__always) get { self == .array || self == .map }
        }
    }

    let kind: Kind
    /// The bits of a scalar (sign-extended if negative), the number of items of a container, the type of an extension.
    let bits: UInt64
    /// Where the bytes of a string, bytes or extension begin, or the first item of a container.
    let body: Int
    /// Behind the value; behind the header alone for a container.
    let end: Int

    static let null = Head(kind: .null, bits: 0, body: 0, end: 0)

    @inline(__always)
    private init(kind: Kind, bits: UInt64, body: Int, end: Int) {
        self.kind = kind
        self.bits = bits
        self.body = body
        self.end = end
    }

    /// Reads the head at an offset, and checks that the value (of a container: the header) ends within the bytes.
    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Flaw) {
        guard offset < bytes.count else { throw .truncated }
        let first = bytes[offset]
        let next = offset + 1
        switch first {
        case 0x00...0x7F: self.init(kind: .positive, bits: UInt64(first), body: next, end: next)
        case 0xE0...0xFF:
            self.init(kind: .negative, bits: UInt64(bitPattern: Int64(Int8(bitPattern: first))), body: next, end: next)
        case 0xA0...0xBF:
            let end = next + Int(first & 0x1F)
            guard end <= bytes.count else { throw .truncated }
            self.init(kind: .string, bits: 0, body: next, end: end)
        case 0x80...0x8F: self.init(kind: .map, bits: UInt64(first & 0x0F), body: next, end: next)
        case 0x90...0x9F: self.init(kind: .array, bits: UInt64(first & 0x0F), body: next, end: next)
        default: try self.init(wide: first, bytes, next)
        }
    }

    /// The forms with a size or a number in the bytes that follow the first.
    private init(wide first: UInt8, _ bytes: UnsafeRawBufferPointer, _ next: Int) throws(Flaw) {
        switch first {
        case 0xC0: self.init(kind: .null, bits: 0, body: next, end: next)
        case 0xC2: self.init(kind: .bool, bits: 0, body: next, end: next)
        case 0xC3: self.init(kind: .bool, bits: 1, body: next, end: next)
        case 0xC4, 0xD9: try self.init(sized: UInt8.self, first == 0xC4 ? .binary : .string, bytes, next)
        case 0xC5, 0xDA: try self.init(sized: UInt16.self, first == 0xC5 ? .binary : .string, bytes, next)
        case 0xC6, 0xDB: try self.init(sized: UInt32.self, first == 0xC6 ? .binary : .string, bytes, next)
        case 0xC7: try self.init(extended: UInt8.self, bytes, next)
        case 0xC8: try self.init(extended: UInt16.self, bytes, next)
        case 0xC9: try self.init(extended: UInt32.self, bytes, next)
        case 0xCA: try self.init(number: UInt32.self, .float32, bytes, next)
        case 0xCB: try self.init(number: UInt64.self, .float64, bytes, next)
        case 0xCC: try self.init(number: UInt8.self, .positive, bytes, next)
        case 0xCD: try self.init(number: UInt16.self, .positive, bytes, next)
        case 0xCE: try self.init(number: UInt32.self, .positive, bytes, next)
        case 0xCF: try self.init(number: UInt64.self, .positive, bytes, next)
        case 0xD0: try self.init(signed: Int8.self, bytes, next)
        case 0xD1: try self.init(signed: Int16.self, bytes, next)
        case 0xD2: try self.init(signed: Int32.self, bytes, next)
        case 0xD3: try self.init(signed: Int64.self, bytes, next)
        case 0xD4...0xD8: try self.init(extensionOf: 1 << Int(first - 0xD4), bytes, next)
        case 0xDC: try self.init(number: UInt16.self, .array, bytes, next)
        case 0xDD: try self.init(number: UInt32.self, .array, bytes, next)
        case 0xDE: try self.init(number: UInt16.self, .map, bytes, next)
        case 0xDF: try self.init(number: UInt32.self, .map, bytes, next)
        default: throw .reservedByte
        }
    }

    @inline(__always)
    private static func load<T: FixedWidthInteger>(
        _ type: T.Type,
        _ bytes: UnsafeRawBufferPointer,
        _ offset: Int
    ) throws(Flaw) -> T {
        guard bytes.count - offset >= MemoryLayout<T>.size else { throw .truncated }
        return T(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    @inline(__always)
    private init<T: FixedWidthInteger & UnsignedInteger>(
        number type: T.Type,
        _ kind: Kind,
        _ bytes: UnsafeRawBufferPointer,
        _ offset: Int
    ) throws(Flaw) {
        let value = try Self.load(type, bytes, offset)
        let end = offset + MemoryLayout<T>.size
        self.init(kind: kind, bits: UInt64(value), body: end, end: end)
    }

    @inline(__always)
    private init<T: FixedWidthInteger & SignedInteger>(
        signed type: T.Type,
        _ bytes: UnsafeRawBufferPointer,
        _ offset: Int
    ) throws(Flaw) {
        let value = Int64(try Self.load(type, bytes, offset))
        let end = offset + MemoryLayout<T>.size
        self.init(kind: value < 0 ? .negative : .positive, bits: UInt64(bitPattern: value), body: end, end: end)
    }

    @inline(__always)
    private init<T: FixedWidthInteger & UnsignedInteger>(
        sized type: T.Type,
        _ kind: Kind,
        _ bytes: UnsafeRawBufferPointer,
        _ offset: Int
    ) throws(Flaw) {
        let size = Int(try Self.load(type, bytes, offset))
        let body = offset + MemoryLayout<T>.size
        guard bytes.count - body >= size else { throw .announcedTooMuch }
        self.init(kind: kind, bits: 0, body: body, end: body + size)
    }

    @inline(__always)
    private init<T: FixedWidthInteger & UnsignedInteger>(
        extended type: T.Type,
        _ bytes: UnsafeRawBufferPointer,
        _ offset: Int
    ) throws(Flaw) {
        let size = Int(try Self.load(type, bytes, offset))
        try self.init(extensionOf: size, bytes, offset + MemoryLayout<T>.size)
    }

    @inline(__always)
    private init(extensionOf size: Int, _ bytes: UnsafeRawBufferPointer, _ offset: Int) throws(Flaw) {
        let type = UInt64(try Self.load(UInt8.self, bytes, offset))
        guard bytes.count - offset - 1 >= size else { throw .announcedTooMuch }
        self.init(kind: .ext, bits: type, body: offset + 1, end: offset + 1 + size)
    }
}
