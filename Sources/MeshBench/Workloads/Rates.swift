import ActorMesh

extension Workload {
    /// Many calls or messages under way at once.
    static var rates: [Workload] {
        let many = Workload("call.nn", .perSecond, .ratioAtLeast(0.12)) { try await manyCalls($0) }
        return [many]
            + BenchTransport.ofMesh.flatMap { transport in
                [
                    Workload("call.pipelined\(transport.suffix)", .perSecond, .ratioAtLeast(0.15)) {
                        try await pipelinedCalls($0, transport)
                    },
                    Workload("tell\(transport.suffix)", .perSecond, .ratioAtLeast(0.1)) {
                        try await tells($0, transport)
                    },
                ]
            }
    }
}

@concurrent private func pipelinedCalls(
    _ options: BenchOptions,
    _ transport: BenchTransport
) async throws -> [Workload.Sample] {
    try await withMesh(transport.configuration) { mesh in
        try await onMesh {
            let actor = try await mesh.spawn(BenchActor.self)
            let raw = try await onOwnThread { try RawLink(transport) }
            try await settle()
            return try await options.alternate {
                try await callRate([actor], on: mesh, for: $0)
            } with: { time in
                try await onOwnThread { try raw.pipelined(for: time) }
            }
        }
    }
}

/// Calls in a second of one caller that does not await each, to the actors in turn.
@concurrent func callRate(_ actors: [BenchActor], on mesh: Mesh, for time: Double) async throws -> Double {
    let start = now()
    let end = deadline(in: time)
    // While the results of one batch come, the next one is under way.
    let batch = 1000
    var before: [ObjectRef<Int>] = []
    var count = 0
    while now() < end {
        var refs: [ObjectRef<Int>] = []
        refs.reserveCapacity(batch)
        for _ in 0..<batch / actors.count {
            for actor in actors { refs.append(try await mesh.submit { try await actor.add(1) }) }
        }
        for ref in before { _ = try await ref.value }
        before = refs
        count += refs.count
    }
    for ref in before { _ = try await ref.value }
    return Double(count) / seconds(since: start)
}

@concurrent private func tells(
    _ options: BenchOptions,
    _ transport: BenchTransport
) async throws -> [Workload.Sample] {
    try await withMesh(transport.configuration) { mesh in
        try await onMesh {
            let actor = try await mesh.spawn(BenchActor.self)
            let raw = try await onOwnThread { try RawLink(transport, isOneWay: true) }
            try await settle()
            return try await options.alternate {
                try await tellRate(actor, on: mesh, for: $0)
            } with: { time in
                try await onOwnThread { try raw.oneWay(for: time) }
            }
        }
    }
}

/// One-way messages in a second, up to the last one's end.
@concurrent private func tellRate(_ actor: BenchActor, on mesh: Mesh, for time: Double) async throws -> Double {
    let start = now()
    let end = deadline(in: time)
    var count = 0
    while now() < end {
        for value in 0..<1000 { try await mesh.tell { try await actor.note(value) } }
        count += 1000
    }
    let arrived = try await actor.takeNotes()
    guard arrived == count else { throw BenchError("of \(count) messages \(arrived) arrived") }
    return Double(count) / seconds(since: start)
}
