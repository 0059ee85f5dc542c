/// A 128-bit random number that names an actor, an object or a task for ever.
///
/// Two random IDs of one mesh collide with a probability below 1e-20 for a billion of them, so nobody has to hand
/// them out. The values whose upper half is zero are reserved for well-known actors.
public struct UniqueID: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new ID that nobody else has.
    package static func random() -> UniqueID {
        UniqueID(high: UInt64.random(in: 1...UInt64.max), low: UInt64.random(in: 0...UInt64.max))
    }

    package var isReserved: Bool { self.high == 0 }
}

extension UniqueID: CustomStringConvertible {
    /// 32 hexadecimal digits.
    public var description: String { hexadecimal(self.high) + hexadecimal(self.low) }

    /// The first eight digits, enough for people to tell actors apart.
    package var short: String { self.isReserved ? String(self.low) : String(hexadecimal(self.high).prefix(8)) }
}

extension UniqueID {
    /// Reads the 32 digits that `description` writes; `nil` for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }
}

extension UniqueID: Codable {
    /// Reads the two halves.
    public init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self.high = try container.decode(UInt64.self)
        self.low = try container.decode(UInt64.self)
    }

    /// Writes the two halves as unsigned integers.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.high)
        try container.encode(self.low)
    }
}

/// Sixteen lower-case hexadecimal digits.
package func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
