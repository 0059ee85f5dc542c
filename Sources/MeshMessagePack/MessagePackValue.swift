public import FoundationEssentials

/// Any MessagePack value, for data whose shape is known only when it arrives.
///
/// It distinguishes what the format distinguishes and no more: integers are equal whatever their width was, floats of
/// 32 and 64 bits are different values, and maps are equal whatever the order of their keys. A number array or an
/// attachment is seen as the extension value that it is. With another encoder than this library's, extension values and
/// maps are written as that encoder writes ``MessagePackExtension`` and dictionaries.
public enum MessagePackValue: Hashable, Sendable {
    /// No value.
    case null
    /// A boolean.
    case bool(Bool)
    /// An integer that fits in 64 signed bits. Every such integer is read as this case.
    case int(Int64)
    /// An integer. It is read as this case only above `Int64.max`; a smaller one equals its ``int(_:)``.
    case uint(UInt64)
    /// A 32-bit float.
    case float(Float)
    /// A 64-bit float.
    case double(Double)
    /// A string.
    case string(String)
    /// Bytes.
    case binary(Data)
    /// An array.
    indirect case array([MessagePackValue])
    /// A map; any value can be a key.
    indirect case map([MessagePackValue: MessagePackValue])
    /// A value of an extension type, timestamps included.
    case ext(MessagePackExtension)
}

extension MessagePackValue {
    /// Equal if they are the same value of the format.
    public static func == (one: Self, other: Self) -> Bool {
        switch (one.normalized, other.normalized) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.int(let a), .int(let b)): a == b
        case (.uint(let a), .uint(let b)): a == b
        // By bits, so that every value equals itself and zero's sign is kept: a key that is not a number can be found.
        case (.float(let a), .float(let b)): a.bitPattern == b.bitPattern
        case (.double(let a), .double(let b)): a.bitPattern == b.bitPattern
        case (.string(let a), .string(let b)): a == b
        case (.binary(let a), .binary(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.map(let a), .map(let b)): a == b
        case (.ext(let a), .ext(let b)): a == b
        default: false
        }
    }

    /// Agrees with `==`.
    public func hash(into hasher: inout Hasher) {
        switch self.normalized {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .uint(let value): hasher.combine(value)
        case .float(let value): hasher.combine(value.bitPattern)
        case .double(let value): hasher.combine(value.bitPattern)
        case .string(let value): hasher.combine(value)
        case .binary(let value): hasher.combine(value)
        case .array(let value): hasher.combine(value)
        case .map(let value): hasher.combine(value)
        case .ext(let value): hasher.combine(value)
        }
    }

    private var normalized: Self {
        if case .uint(let value) = self, let small = Int64(exactly: value) { return .int(small) }
        return self
    }
}
