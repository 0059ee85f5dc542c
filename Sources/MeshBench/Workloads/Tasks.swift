import ActorMesh

extension Workload {
    /// Tasks that do nothing.
    static var tasks: [Workload] {
        [
            Workload("task.sync.p50", .microseconds, .atMost(200)) { options in
                try await withTasks(options) { mesh, time in
                    var times: [Double] = []
                    let end = deadline(in: time)
                    var before = now()
                    while before < end {
                        _ = try await mesh.submit(BenchTask(number: times.count)).value
                        let after = now()
                        times.append(Double(after - before) / 1000)
                        before = after
                    }
                    times.sort()
                    return percentile(times, 0.5)
                }
            },
            Workload("task.pipelined", .perSecond, .atLeast(50_000)) { options in
                try await withTasks(options) { mesh, time in
                    let start = now()
                    let end = deadline(in: time)
                    var before: [ObjectRef<Int>] = []
                    var count = 0
                    while now() < end {
                        var refs: [ObjectRef<Int>] = []
                        for _ in 0..<1000 { refs.append(try await mesh.submit(BenchTask(number: count))) }
                        for ref in before { _ = try await ref.value }
                        before = refs
                        count += refs.count
                    }
                    for ref in before { _ = try await ref.value }
                    return Double(count) / seconds(since: start)
                }
            },
        ]
    }
}

@concurrent private func withTasks(
    _ options: BenchOptions,
    _ measure: @Sendable @concurrent (Mesh, _ time: Double) async throws -> Double
) async throws -> [Workload.Sample] {
    try await withMesh { mesh in
        try await onMesh { try await options.alternate { try await measure(mesh, $0) } }
    }
}
