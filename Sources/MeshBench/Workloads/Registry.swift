import ActorMesh
import Glibc

extension Workload {
    /// What goes by way of the broker.
    static var registry: [Workload] {
        [
            Workload("find", .perSecond) { try await lookups($0) },
            Workload("restart", .milliseconds, .atMost(50)) { try await restarts($0) },
        ]
    }
}

/// Finds an actor by its name, from many tasks at once in another process than the broker's; look-ups in a second.
@concurrent private func lookups(_ options: BenchOptions) async throws -> [Workload.Sample] {
    let (callers, count) = (50, options.isQuick ? 50 : 200)
    return try await withMesh { mesh in
        try await onMesh {
            let actor = try await mesh.spawn(BenchActor.self, options: ActorOptions(name: "bench"))
            let caller = try await mesh.spawn(BenchCaller.self)
            try await settle()
            defer { withExtendedLifetime(actor) {} }
            return try await (0..<options.runs).asyncMap { _ in
                let start = now()
                try await caller.find("bench", callers: callers, count: count)
                return Workload.Sample(value: Double(callers * count) / seconds(since: start))
            }
        }
    }
}

/// From `kill -9` of an actor's process until a call to it has been answered by its next life.
@concurrent private func restarts(_ options: BenchOptions) async throws -> [Workload.Sample] {
    let count = options.isQuick ? 5 : 20
    return try await withMesh { mesh in
        try await onMesh {
            let actor = try await mesh.spawn(
                BenchActor.self,
                options: ActorOptions(
                    maxRestarts: .unlimited, maxTaskRetries: .unlimited, backoff: Backoff(initial: .zero)))
            return try await (0..<options.runs).asyncMap { _ in
                var times: [Double] = []
                for _ in 0..<count {
                    // The node has time to make the next worker ready.
                    try await settle()
                    guard let victim = try await mesh.actors().first?.processID else { continue }
                    let start = now()
                    guard kill(victim, SIGKILL) == 0 else { continue }
                    var answer = try await actor.increment()
                    // A call that was answered before the signal had reached every thread of the process.
                    while answer != 1 { answer = try await actor.increment() }
                    times.append(seconds(since: start) * 1000)
                }
                return Workload.Sample(value: percentile(times.sorted(), 0.5))
            }
        }
    }
}
