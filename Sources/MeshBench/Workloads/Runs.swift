import ActorMesh

extension BenchOptions {
    /// Makes the runs of a workload, after one that only warms up.
    @concurrent func alternate(
        _ measure: @Sendable @concurrent (_ time: Double) async throws -> Double
    ) async throws -> [Workload.Sample] {
        _ = try await measure(self.warmUp)
        var samples: [Workload.Sample] = []
        for _ in 0..<self.runs { samples.append(Workload.Sample(value: try await measure(self.runTime))) }
        return samples
    }

    private var warmUp: Double { min(self.runTime / 2, 0.3) }

    /// Makes the runs of a workload, each followed by one of its baseline, so that both meet the same conditions. The
    /// first run of each only warms up.
    @concurrent func alternate(
        _ measure: @Sendable @concurrent (_ time: Double) async throws -> Double,
        with baseline: @Sendable @concurrent (_ time: Double) async throws -> Double
    ) async throws -> [Workload.Sample] {
        _ = try await measure(self.warmUp)
        _ = try await baseline(self.warmUp / 4)
        var samples: [Workload.Sample] = []
        for _ in 0..<self.runs {
            let value = try await measure(self.runTime)
            samples.append(Workload.Sample(value: value, baseline: try await baseline(self.runTime / 2)))
        }
        return samples
    }
}

/// Runs code off every actor, which in a mesh means on the mesh's own threads, as a driver's code runs.
@concurrent func onMesh<Value: Sendable>(
    _ body: @Sendable @concurrent () async throws -> Value
) async throws -> Value {
    try await body()
}

/// Waits until the workers that are started in the background are there, so that they do not disturb.
@concurrent func settle() async throws { try await Task.sleep(for: .milliseconds(100)) }
