/// How long calls took: counts in buckets, four to each doubling of the time. A value.
///
/// A quantile is told as the upper bound of its bucket, which is at most a quarter more than the true one. Times below
/// 1.024 µs share the first bucket.
public struct LatencyHistogram: Hashable, Sendable, Codable {
    /// How many fell into each bucket, up to the last one that is used.
    package private(set) var counts: [UInt64] = []

    /// One without calls.
    public init() {}

    /// How many times were counted.
    public var count: UInt64 { self.counts.reduce(0, +) }

    package mutating func record(nanoseconds: UInt64) {
        let bucket = Self.bucket(of: nanoseconds)
        if bucket >= self.counts.count {
            self.counts.append(contentsOf: repeatElement(0, count: bucket + 1 - self.counts.count))
        }
        self.counts[bucket] += 1
    }

    /// Adds the counts of another.
    public mutating func add(_ other: LatencyHistogram) {
        if other.counts.count > self.counts.count {
            self.counts.append(contentsOf: repeatElement(0, count: other.counts.count - self.counts.count))
        }
        for (bucket, count) in other.counts.enumerated() { self.counts[bucket] += count }
    }

    /// What has come since an earlier look at the same calls.
    package func since(_ earlier: LatencyHistogram?) -> LatencyHistogram {
        guard let earlier else { return self }
        var result = self
        for (bucket, count) in earlier.counts.enumerated() where bucket < result.counts.count {
            result.counts[bucket] -= min(result.counts[bucket], count)
        }
        return result
    }

    /// The time that so large a share of the calls took at most, such as 0.99; nil when there was none.
    public func quantile(_ share: Double) -> Duration? {
        let total = self.count
        guard total > 0 else { return nil }
        let rank = max(1, (Double(total) * min(max(share, 0), 1)).rounded(.up))
        var seen: UInt64 = 0
        for (bucket, count) in self.counts.enumerated() {
            seen += count
            if Double(seen) >= rank { return .nanoseconds(Int64(clamping: Self.upperBound(of: bucket))) }
        }
        return nil
    }

    /// How many took less than each power of two of 1.024 µs, with that bound: what Prometheus calls cumulative buckets.
    package func cumulative() -> [(nanoseconds: UInt64, count: UInt64)] {
        var seen: UInt64 = 0
        var result: [(nanoseconds: UInt64, count: UInt64)] = []
        for octave in 0..<Self.octaves {
            let bucket = octave * 4
            let first = bucket == 0 ? 0 : bucket - 3
            for index in first...bucket where index < self.counts.count { seen += self.counts[index] }
            result.append((Self.upperBound(of: bucket), seen))
        }
        return result
    }

    // MARK: Buckets

    /// From 1 µs to 69 s; what takes longer is in the last bucket.
    private static let octaves = 27

    static func bucket(of nanoseconds: UInt64) -> Int {
        let units = nanoseconds >> 10
        guard units > 0 else { return 0 }
        let octave = 63 - units.leadingZeroBitCount
        guard octave < Self.octaves else { return Self.octaves * 4 }
        let quarter = Int((nanoseconds >> (octave + 8)) & 3)
        return 1 + octave * 4 + quarter
    }

    /// Times below this, in nanoseconds, are in the bucket or in one before it.
    static func upperBound(of bucket: Int) -> UInt64 {
        guard bucket > 0 else { return 1 << 10 }
        let (octave, quarter) = ((bucket - 1) / 4, UInt64((bucket - 1) % 4))
        return (5 + quarter) << (octave + 8)
    }
}
