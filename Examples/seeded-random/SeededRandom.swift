/// Random numbers that are the same on every run and on every machine, for the data that examples make themselves.
///
/// SplitMix64, by Steele, Lea and Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Two with the same seed give the same numbers.
    public init(seed: UInt64) { self.state = seed }

    /// Any 64 bits.
    public mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var bits = self.state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// A whole number from 0 to below `bound`. How the standard library makes one may change from release to release.
    public mutating func below(_ bound: Int) -> Int { Int(self.next() % UInt64(bound)) }

    /// A number from 0 to below 1.
    public mutating func uniform() -> Double { Double(self.next() >> 11) * 0x1p-53 }

    /// A number from one bound to below the other.
    public mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * self.uniform() }

    /// A number of mean 0 and variance 1 that is nearly normal: the sum of twelve uniform ones. The exact ways need a
    /// logarithm, whose last digit is not the same on every machine.
    public mutating func normal() -> Double { (0..<12).reduce(-6) { sum, _ in sum + self.uniform() } }
}
