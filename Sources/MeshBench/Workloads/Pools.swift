import ActorMesh

extension Workload {
    /// Work that the members of a pool share.
    static var pools: [Workload] {
        [Workload("pool.map", .perSecond) { try await maps($0) }]
    }
}

private let members = 2

/// Results in a second of a pool of two that does nothing with each value, in order, beside two raw peers with one
/// message under way each.
@concurrent private func maps(_ options: BenchOptions) async throws -> [Workload.Sample] {
    try await withMesh { mesh in
        try await onMesh {
            let pool = try await ActorPool(count: members) { try await mesh.spawn(BenchActor.self) }
            let raw = try await onOwnThread { try (0..<members).map { _ in try RawLink(.ipc) } }
            try await settle()
            return try await options.alternate { time in
                let start = now()
                let end = deadline(in: time)
                var count = 0
                for try await _ in pool.map(0..., { try await $0.add($1) }) {
                    count += 1
                    if now() >= end { break }
                }
                return Double(count) / seconds(since: start)
            } with: { time in
                try await onOwnThread { try RawLink.inTurns(raw, for: time) }
            }
        }
    }
}
