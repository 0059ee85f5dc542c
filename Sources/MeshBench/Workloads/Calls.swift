import ActorMesh

extension Workload {
    /// One awaited call after the other.
    static var calls: [Workload] {
        BenchTransport.ofMesh.flatMap { transport in
            Pinning.allCases.map { pinning in
                let suffix = pinning == .none ? "" : ".\(pinning.rawValue)"
                return Workload("call.sync.p50\(transport.suffix)\(suffix)", .microseconds, .ratioAtMost(1.25)) {
                    try await syncCalls($0, transport, pinning)
                }
            }
        }
    }
}

@concurrent private func syncCalls(
    _ options: BenchOptions,
    _ transport: BenchTransport,
    _ pinning: Pinning
) async throws -> [Workload.Sample] {
    try await withMesh(transport.configuration) { mesh in
        try await onMesh {
            let counter = try await mesh.spawn(BenchActor.self)
            let raw = try await onOwnThread { try RawLink(transport) }
            try await settle()
            let peers = try await mesh.actors().map(\.processID)
            try pinning.apply(toPeers: peers + raw.processIDs)
            return try await options.alternate {
                try await callMedian(counter, for: $0) / 1000
            } with: { time in
                try await onOwnThread { try raw.roundTrip(for: time) } / 1000
            }
        }
    }
}

/// The median time of an awaited call, in nanoseconds.
@concurrent private func callMedian(_ counter: BenchActor, for time: Double) async throws -> Double {
    var times: [Double] = []
    times.reserveCapacity(1 << 16)
    let end = deadline(in: time)
    var before = now()
    while before < end {
        _ = try await counter.increment()
        let after = now()
        times.append(Double(after - before))
        before = after
    }
    times.sort()
    return percentile(times, 0.5)
}
