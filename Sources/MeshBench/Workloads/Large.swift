import ActorMesh
import FoundationEssentials

extension Workload {
    /// Values that are large.
    static var large: [Workload] {
        BenchTransport.ofMesh.map { transport in
            // Within a host through shared memory, unless the processes are to reach each other as if they were on two.
            Workload("echo.1MiB\(transport.suffix)", .perSecond, .ratioAtLeast(transport == .ipc ? 2 : 1)) {
                try await echoes($0, transport)
            }
        }
    }
}

@concurrent private func echoes(
    _ options: BenchOptions,
    _ transport: BenchTransport
) async throws -> [Workload.Sample] {
    let size = 1 << 20
    return try await withMesh(transport.configuration) { mesh in
        try await onMesh {
            let actor = try await mesh.spawn(BenchActor.self)
            let raw = try await onOwnThread { try RawLink(transport) }
            try await settle()
            let data = Data(repeating: 7, count: size)
            return try await options.alternate { time in
                let start = now()
                let end = deadline(in: time)
                var count = 0
                while now() < end {
                    let received = try await actor.echo(data)
                    guard received.count == size else { throw BenchError("\(received.count) bytes came back") }
                    count += 1
                }
                return Double(count) / seconds(since: start)
            } with: { time in
                try await onOwnThread { try raw.large(size, for: time) }
            }
        }
    }
}
