import Synchronization

/// A 128-bit number that names an actor, an object or a task for ever.
///
/// Each process draws the upper half at random and counts in the lower, so nobody has to hand IDs out. The values whose upper half is zero are reserved for well-known actors.
public struct UniqueID: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new ID that nobody else has: a random number of this process, and a counter behind a one-to-one scramble,
    /// because asking the kernel for random bytes costs as much as a call.
    package static func make() -> UniqueID {
        UniqueID(high: Self.process, low: scramble(Self.counter.wrappingAdd(1, ordering: .relaxed).newValue))
    }

    private static let process = UInt64.random(in: 1...UInt64.max)
    private static let counter = Atomic<UInt64>(UInt64.random(in: 0...UInt64.max))

    package var isReserved: Bool { self.high == 0 }
}

extension UniqueID: CustomStringConvertible {
    /// 32 hexadecimal digits, those first in which the IDs of one process differ.
    public var description: String { hexadecimal(self.low) + hexadecimal(self.high) }

    /// The first eight digits, enough for people to tell actors apart.
    package var short: String { self.isReserved ? String(self.low & 0xff) : String(hexadecimal(self.low).prefix(8)) }
}

extension UniqueID {
    /// Reads the 32 digits that `description` writes; `nil` for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let low = UInt64(text.prefix(16), radix: 16), let high = UInt64(text.suffix(16), radix: 16)
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

/// A bijection of 64-bit numbers that spreads neighbours far apart: the finaliser of SplitMix64 (Steele, Lea and
/// Flood, *Fast Splittable Pseudorandom Number Generators*, 2014).
private func scramble(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
}

/// Sixteen lower-case hexadecimal digits.
package func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
