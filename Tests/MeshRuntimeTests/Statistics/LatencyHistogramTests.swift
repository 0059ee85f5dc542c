import Testing

@testable import MeshRuntime

/// Counting how long calls took.
@Suite struct LatencyHistogramTests {
    @Test(
        "every time is in the bucket whose bounds surround it, and no bucket is wider than a quarter of its beginning")
    func bounds() {
        for bucket in 1..<LatencyHistogram.bucket(of: .max) {
            let (begin, end) = (
                LatencyHistogram.upperBound(of: bucket - 1), LatencyHistogram.upperBound(of: bucket)
            )
            #expect(LatencyHistogram.bucket(of: begin) == bucket)
            #expect(LatencyHistogram.bucket(of: end - 1) == bucket)
            #expect(end - begin <= begin / 4)
        }
        #expect(LatencyHistogram.bucket(of: 0) == 0)
        #expect(LatencyHistogram.bucket(of: 1023) == 0)
    }

    @Test("a quantile is at most a quarter more than the true one, and never less")
    func quantiles() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            var histogram = LatencyHistogram()
            let times = (0..<200).map { _ in UInt64.random(in: 1024...1 << 34, using: &generator) }.sorted()
            for time in times { histogram.record(nanoseconds: time) }
            for share in [0.01, 0.5, 0.9, 0.99, 1] {
                let rank = max(1, Int((200 * share).rounded(.up)))
                let exact = Duration.nanoseconds(Int64(times[rank - 1]))
                let told = try #require(histogram.quantile(share))
                #expect(told > exact && told <= exact * 5 / 4 + .nanoseconds(1))
            }
        }
        #expect(LatencyHistogram().quantile(0.5) == nil)
    }

    @Test("two that are added count what one counts that had all of it")
    func adding() {
        var (one, other, both) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
        for time in [10, 2_000, 5_000_000] as [UInt64] {
            one.record(nanoseconds: time)
            both.record(nanoseconds: time)
        }
        for time in [3_000, 7_000_000_000] as [UInt64] {
            other.record(nanoseconds: time)
            both.record(nanoseconds: time)
        }
        one.add(other)
        #expect(one == both)
        #expect(one.count == 5)
    }

    @Test("cumulative buckets grow, and the last one has all that took less than its bound")
    func cumulative() {
        var histogram = LatencyHistogram()
        for exponent in 0..<36 { histogram.record(nanoseconds: 1 << exponent) }
        let buckets = histogram.cumulative()
        #expect(buckets.map(\.count) == buckets.map(\.count).sorted())
        for (bound, count) in buckets { #expect(count == UInt64((0..<36).count { 1 << UInt64($0) < bound })) }
    }
}
