import ActorMesh
import FoundationEssentials
import MeshCore
import MeshRuntime
import Testing

@testable import MeshDashboard

/// What `/metrics` says.
@Suite struct MetricsTests {
    private static func actor(
        _ number: UInt64, calls: UInt64, life: UInt64 = 1, type: String = "app.Counter"
    ) -> ActorStatistics {
        var latencies = LatencyHistogram()
        for _ in 0..<calls { latencies.record(nanoseconds: 5_000_000) }
        return ActorStatistics(
            id: UniqueID(high: 1, low: number), typeName: type, name: nil, incarnation: life, calls: calls,
            failures: calls / 2, running: 1, waiting: 2, busy: .milliseconds(5 * Int(calls)), latencies: latencies)
    }

    private static func process(_ number: UInt64, sent: UInt64, _ actors: ActorStatistics...) -> ProcessStatistics {
        ProcessStatistics(
            peer: PeerID(number), processID: Int32(number), role: .worker, node: "alpha", processorTime: .seconds(1),
            residentBytes: 1 << 20, bytesSent: sent, bytesReceived: 0, reconnects: 0, messagesRejected: 0,
            connectionsCut: 0, keysRefused: 0, callsOutstanding: 3, tasks: 0, actors: actors)
    }

    private static func look(_ processes: ProcessStatistics..., silent: [String] = []) -> MeshStatistics {
        MeshStatistics(date: .now, processes: processes, silent: silent)
    }

    private static let workers = MetricTotals.Group(node: "alpha", role: .worker)

    @Test("totals only grow, whatever processes and lives come and go, and count nothing twice")
    func totals() {
        var totals = MetricTotals()
        totals.add(Self.look(Self.process(1, sent: 100, Self.actor(1, calls: 10))))
        totals.add(Self.look(Self.process(1, sent: 150, Self.actor(1, calls: 14))))
        #expect(totals.calls["app.Counter"]?.calls == 14)
        #expect(totals.traffic[Self.workers]?.bytesSent == 150)
        // The process is gone, and another has the actor's next life.
        totals.add(Self.look(Self.process(2, sent: 7, Self.actor(1, calls: 3, life: 2))))
        #expect(totals.calls["app.Counter"]?.calls == 17)
        #expect(totals.calls["app.Counter"]?.latencies.count == 17)
        #expect(totals.traffic[Self.workers]?.bytesSent == 157)
    }

    @Test("a process that was silent for a while goes on where it was")
    func silence() {
        var totals = MetricTotals()
        totals.add(Self.look(Self.process(1, sent: 100, Self.actor(1, calls: 10))))
        totals.add(Self.look(silent: ["worker 1"]))
        totals.add(Self.look(Self.process(1, sent: 120, Self.actor(1, calls: 11))))
        #expect(totals.calls["app.Counter"]?.calls == 11)
        #expect(totals.traffic[Self.workers]?.bytesSent == 120)
    }

    @Test("a process that counts what cannot be does not end who adds it up")
    func overflow() {
        var totals = MetricTotals()
        for number in 1...3 { totals.add(Self.look(Self.process(UInt64(number), sent: .max))) }
        #expect(totals.traffic[Self.workers]?.processorSeconds == 3)
    }

    @Test("types without end are counted together")
    func manyTypes() {
        var totals = MetricTotals()
        for number in 0..<1000 {
            let actor = Self.actor(UInt64(number), calls: 1, type: "app.T\(number)")
            totals.add(Self.look(Self.process(UInt64(number), sent: 0, actor)))
        }
        #expect(totals.calls.count <= 201)
        #expect(totals.calls.values.reduce(0) { $0 + $1.calls } == 1000)
        #expect((totals.calls[MetricTotals.otherTypes]?.calls ?? 0) >= 799)
    }

    @Test("values of labels cannot break out of their quotes, and numbers are whole where they can be")
    func format() {
        var page = PrometheusText()
        page.begin("a_total", .counter, "Help.")
        page.add("a_total", 3, ["type": "x\"y\\z\nw"])
        page.add("b", 0.25)
        #expect(
            page.text == "# HELP a_total Help.\n# TYPE a_total counter\na_total{type=\"x\\\"y\\\\z\\nw\"} 3\nb 0.25\n")
        #expect(PrometheusText.number(1e18) == "1e+18")
        #expect(PrometheusText.number(.nan) == "NaN")
    }

    @Test("a page has each metric once, with its samples behind it, and a histogram whose buckets grow up to its count")
    func page() throws {
        var totals = MetricTotals()
        let statistics = Self.look(Self.process(1, sent: 100, Self.actor(1, calls: 10)))
        totals.add(statistics)
        let text = MeshMetricsPage(
            overview: MeshOverview(date: .now, startDate: .now, states: [.alive: 1], restarts: 4),
            nodes: [], tasks: TaskListing(workers: [], waiting: 0, silentNodes: []),
            logs: LogUsage(records: 70, bytes: 4096, dropped: 38_575), statistics: statistics, totals: totals
        ).text
        var metric = ""
        var seen: Set<String> = []
        var buckets: [Double] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                metric = String(line.split(separator: " ")[2])
                #expect(seen.insert(metric).inserted, "\(metric) stands there twice")
            } else if !line.hasPrefix("#") {
                #expect(line.hasPrefix(metric), "\(line) does not belong to \(metric)")
                if line.hasPrefix("actormesh_call_duration_seconds_bucket") {
                    buckets.append(try #require(Double(line.split(separator: " ").last ?? "")))
                }
            }
        }
        #expect(buckets == buckets.sorted() && buckets.last == 10)
        #expect(text.contains("actormesh_actors{state=\"alive\"} 1\n"))
        #expect(text.contains("actormesh_actor_restarts_total 4\n"))
        #expect(text.contains("actormesh_call_failures_total{type=\"app.Counter\"} 5\n"))
        #expect(text.contains("actormesh_mailbox_depth{type=\"app.Counter\"} 2\n"))
        #expect(text.contains("actormesh_log_records 70\n") && text.contains("actormesh_log_bytes 4096\n"))
        #expect(text.contains("# TYPE actormesh_log_records_dropped_total counter\n"))
        #expect(text.contains("actormesh_log_records_dropped_total 38575\n"))
    }
}
