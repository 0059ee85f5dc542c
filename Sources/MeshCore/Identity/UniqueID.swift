import Synchronization

/// A 128-bit number that names an actor, an object or a task for ever.
///
/// Each process draws the upper half at random and counts in the lower, so nobody has to hand IDs out. The values whose
/// upper half is zero are reserved for well-known actors; odd ones name objects.
public struct UniqueID: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new ID that nobody else has: a random number of this process, and a counter spread over all 64 bits, because
    /// asking the kernel for random bytes costs as much as a call. The lower half is even.
    package static func make() -> UniqueID {
        UniqueID(high: Self.process, low: spread(Self.counter.wrappingAdd(2, ordering: .relaxed).newValue))
    }

    /// A new ID for an object, which says itself who owns it: the upper half is the number of the owner's process, and
    /// the lower half is odd.
    package static func makeObject(of owner: PeerID) -> UniqueID {
        UniqueID(high: owner.number, low: spread(Self.counter.wrappingAdd(2, ordering: .relaxed).newValue | 1))
    }

    /// The process that owns an object; nil for the ID of anything else.
    package var owner: PeerID? { self.low & 1 == 1 && self.high != 0 ? PeerID(self.high) : nil }

    private static let process = UInt64.random(in: 1...UInt64.max)
    private static let counter = Atomic<UInt64>(UInt64.random(in: 0...UInt64.max) & ~1)

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

/// A bijection of 64-bit numbers that keeps them even or odd, and spreads neighbours far apart: a multiplication by 2⁶⁴
/// over the golden ratio (Knuth, *The Art of Computer Programming*, volume 3, 6.4).
private func spread(_ value: UInt64) -> UInt64 { value &* 0x9e37_79b9_7f4a_7c15 }

/// Sixteen lower-case hexadecimal digits.
package func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
