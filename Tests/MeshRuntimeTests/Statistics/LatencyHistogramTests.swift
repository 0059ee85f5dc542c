import MeshCore
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

/// What a process says of itself may be anything.
@Suite struct PlausibleStatisticsTests {
    private static func process(waiting: Int = 0, sent: UInt64 = 0, time: Duration = .zero) -> ProcessStatistics {
        let actor = ActorStatistics(
            id: UniqueID(high: 1, low: 1), typeName: "T", name: nil, incarnation: 1, calls: 0, failures: 0, running: 0,
            waiting: waiting, busy: .zero, latencies: LatencyHistogram())
        return ProcessStatistics(
            peer: PeerID(1), processID: 1, role: .driver, node: "", processorTime: time, residentBytes: 0,
            bytesSent: sent, bytesReceived: 0, reconnects: 0, messagesRejected: 0, connectionsCut: 0, keysRefused: 0,
            callsOutstanding: 0, tasks: 0, actors: [actor])
    }

    @Test("numbers that cannot be are no statistics")
    func plausible() {
        #expect(Self.process().isPlausible)
        #expect(!Self.process(waiting: -1).isPlausible)
        #expect(!Self.process(waiting: .max).isPlausible)
        #expect(!Self.process(sent: .max).isPlausible)
        #expect(!Self.process(time: .seconds(Int64.max / 2)).isPlausible)
        #expect(!Self.process(time: .seconds(-1)).isPlausible)
    }
}
