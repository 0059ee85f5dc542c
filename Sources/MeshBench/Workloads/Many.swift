import ActorMesh

/// Two actors that call two others, each in a process of its own.
@concurrent func manyCalls(_ options: BenchOptions) async throws -> [Workload.Sample] {
    try await withMesh { mesh in
        try await onMesh {
            let callers = [try await mesh.spawn(BenchCaller.self), try await mesh.spawn(BenchCaller.self)]
            let actors = [try await mesh.spawn(BenchActor.self), try await mesh.spawn(BenchActor.self)]
            let raw = try await onOwnThread { try RawMany(.ipc, count: 2, time: options.runTime / 2) }
            try await settle()
            return try await options.alternate { time in
                try await withThrowingTaskGroup(of: Double.self) { group in
                    for caller in callers { group.addTask { try await caller.call(actors, for: time) } }
                    return try await group.reduce(0, +)
                }
            } with: { _ in
                try await onOwnThread { try raw.rate() }
            }
        }
    }
}
