internal import FoundationEssentials

extension MessagePackValue: Codable {
    /// Writes the value as its own type; with this library's encoder that is the value of the format itself.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .uint(let value): try container.encode(value)
        case .float(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .binary(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .map(let value): try container.encode(value)
        case .ext(let value): try container.encode(value)
        }
    }

    /// Reads from a decoder of another format whatever it recognises; this library's own reads the value itself.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .int(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .uint(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([MessagePackValue].self) {
            self = .array(value)
        } else {
            let named = try container.decode([String: MessagePackValue].self)
            self = .map(Dictionary(uniqueKeysWithValues: named.map { (.string($0.key), $0.value) }))
        }
    }
}

extension MessagePackValue: NativelyDecodable {
    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        let head = try place.scalar(Self.self) { head throws(Flaw) in head }
        let value: MessagePackValue
        switch head.kind {
        case .null: value = .null
        case .bool: value = .bool(head.bits != 0)
        case .positive:
            value = Int64(exactly: head.bits).map { .int($0) } ?? .uint(head.bits)
        case .negative: value = .int(Int64(bitPattern: head.bits))
        case .float32: value = .float(Float(bitPattern: UInt32(truncatingIfNeeded: head.bits)))
        case .float64: value = .double(Double(bitPattern: head.bits))
        case .string: value = .string(try place.read(String.self))
        case .binary: value = .binary(try place.read(Data.self))
        case .array: value = .array(try place.readElements(of: MessagePackValue.self, head))
        case .map: value = .map(try place.read([MessagePackValue: MessagePackValue].self))
        case .ext: value = .ext(try place.read(MessagePackExtension.self))
        }
        self.store(value, result)
    }
}
