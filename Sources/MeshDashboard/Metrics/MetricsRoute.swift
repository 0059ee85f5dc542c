import ActorMesh
import Hummingbird

/// `/metrics`, for Prometheus.
struct MetricsRoute: Sendable {
    let exporter: MetricsExporter

    func add(to router: Router<DashboardContext>) {
        router.get("/metrics") { _, _ in
            do {
                return Response(
                    status: .ok, headers: [.contentType: PrometheusText.contentType],
                    body: ResponseBody(byteBuffer: ByteBuffer(string: try await self.exporter.text())))
            } catch {
                // A scrape that fails is what Prometheus shows as down.
                let reason = (error as? MeshError)?.message ?? "\(error)"
                return Response(text: "The mesh does not answer: \(reason)\n", status: .serviceUnavailable)
            }
        }
    }
}

/// Asks the mesh what it has done, and adds up. Those who ask at the same time get the same answer.
actor MetricsExporter {
    private let source: any MeshSource
    private let deadline: Duration
    private var totals = MetricTotals()
    private var current: Task<String, any Error>?

    init(_ source: any MeshSource, deadline: Duration) {
        self.source = source
        self.deadline = deadline
    }

    /// The metrics as they are now.
    ///
    /// - Throws: `brokerUnavailable`, `deadlineExceeded`.
    func text() async throws -> String {
        if let current { return try await current.value }
        let task = Task { try await self.gather() }
        self.current = task
        defer { self.current = nil }
        return try await task.value
    }

    private func gather() async throws -> String {
        let source = self.source
        let (overview, nodes, tasks, logs, statistics) = try await source.asked(within: self.deadline) {
            async let overview = source.overview()
            async let nodes = source.nodes()
            async let tasks = source.tasks()
            async let logs = source.logUsage()
            return (
                try await overview, try await nodes, try await tasks, try await logs, try await source.statistics()
            )
        }
        self.totals.add(statistics)
        return MeshMetricsPage(
            overview: overview, nodes: nodes, tasks: tasks, logs: logs, statistics: statistics, totals: self.totals
        ).text
    }
}
