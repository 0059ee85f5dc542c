import ActorMesh

extension Workload {
    /// What actors take of main memory while they do nothing.
    static var memory: [Workload] {
        [
            Workload("memory.process", .megabytes, .atMost(12)) { options in
                try await processMemory(options) { $0.resident }
            },
            Workload("memory.process.pss", .megabytes, .atMost(5)) { options in
                try await processMemory(options) { $0.proportional }
            },
            Workload("memory.shared", .kibibytes, .atMost(2)) { try await sharedMemory($0) },
        ]
    }
}

/// The memory of a process with one actor, next to that of a process with one raw socket.
@concurrent private func processMemory(
    _ options: BenchOptions,
    _ part: @escaping @Sendable (ProcessMemory) -> Double
) async throws -> [Workload.Sample] {
    try await withMesh { mesh in
        try await onMesh {
            let raw = try await onOwnThread { try RawLink(.ipc) }
            return try await (0..<options.runs).asyncMap { _ in
                let actor = try await mesh.spawn(BenchActor.self)
                _ = try await actor.increment()
                try await Task.sleep(for: .milliseconds(300))
                let workers = try await mesh.actors().map(\.processID)
                let (worker, peer) = (try workers.first.unwrapped(), try raw.processIDs.first.unwrapped())
                let sample = Workload.Sample(
                    value: part(try ProcessMemory(of: worker)) / 1e6,
                    baseline: part(try ProcessMemory(of: peer)) / 1e6
                )
                try await mesh.kill(actor)
                return sample
            }
        }
    }
}

/// What one more actor takes in a process that it shares.
@concurrent private func sharedMemory(_ options: BenchOptions) async throws -> [Workload.Sample] {
    let count = options.isQuick ? 5000 : 10_000
    return try await (0..<options.runs).asyncMap { _ in
        try await withMesh { mesh in
            try await onMesh {
                let shared = ActorOptions(placement: .shared)
                let first = try await spawn(100, on: mesh, atOnce: 100, shared)
                let worker = try (try await mesh.actors()).first.unwrapped().processID
                let before = try ProcessMemory(of: worker)
                let actors = try await spawn(count, on: mesh, atOnce: 100, shared)
                try await Task.sleep(for: .milliseconds(100))
                let after = try ProcessMemory(of: worker)
                return withExtendedLifetime((first, actors)) {
                    Workload.Sample(value: (after.resident - before.resident) / Double(count) / 1024)
                }
            }
        }
    }
}

extension Optional {
    /// The value, which there must be.
    func unwrapped() throws -> Wrapped {
        guard let self else { throw BenchError("no process is there") }
        return self
    }
}
