import ActorMesh

extension Workload {
    /// How long it takes until an actor, or a mesh, is there.
    static var spawns: [Workload] {
        [
            Workload("spawn.warm.p50", .milliseconds, .atMost(3)) { options in
                // The pause lets the node make another worker ready.
                try await spawnMedians(options, MeshConfiguration(), count: options.isQuick ? 6 : 20, pause: 80)
            },
            Workload("spawn.cold.p50", .milliseconds, .atMost(15)) { options in
                try await spawnMedians(
                    options,
                    MeshConfiguration(warmWorkers: 0),
                    count: options.isQuick ? 8 : 20,
                    pause: 5
                )
            },
            Workload("spawn.shared", .perSecond, .atLeast(20_000)) { try await sharedSpawns($0) },
            Workload("spawn.100", .perSecond, .atLeast(100)) { try await manySpawns($0) },
            Workload("start.local", .milliseconds, .atMost(100)) { options in
                try await (0..<options.runs * 2 + 1).asyncMap { _ in
                    try await onOwnThread {
                        let process = try HelperRole.start.start()
                        defer { process.end(within: 5) }
                        return Workload.Sample(value: try process.readNumber())
                    }
                }
            },
        ]
    }
}

/// The median time of a spawn in a process of its own, next to that of a bare process.
@concurrent private func spawnMedians(
    _ options: BenchOptions,
    _ configuration: MeshConfiguration,
    count: Int,
    pause: Int
) async throws -> [Workload.Sample] {
    try await withMesh(configuration) { mesh in
        try await onMesh {
            try await settle()
            return try await (0..<options.runs).asyncMap { _ in
                var times: [Double] = []
                var bare: [Double] = []
                for _ in 0..<count {
                    let start = now()
                    let actor = try await mesh.spawn(BenchActor.self)
                    times.append(seconds(since: start) * 1000)
                    try await mesh.kill(actor)
                    try await Task.sleep(for: .milliseconds(pause))
                    bare.append(try await onOwnThread { try bareProcesses(1) } * 1000)
                }
                return Workload.Sample(value: percentile(times.sorted(), 0.5), baseline: percentile(bare.sorted(), 0.5))
            }
        }
    }
}

/// A hundred actors at once, each in a process of its own; actors in a second.
@concurrent private func manySpawns(_ options: BenchOptions) async throws -> [Workload.Sample] {
    let count = 100
    return try await withMesh { mesh in
        try await onMesh {
            try await settle()
            return try await (0..<options.runs).asyncMap { _ in
                let start = now()
                let actors = try await spawn(count, on: mesh, atOnce: count, ActorOptions())
                let time = seconds(since: start)
                for actor in actors { try await mesh.kill(actor) }
                try await settle()
                let bare = try await onOwnThread { try bareProcesses(count) }
                return Workload.Sample(value: Double(count) / time, baseline: Double(count) / bare)
            }
        }
    }
}

/// Actors that share a process; actors in a second.
@concurrent private func sharedSpawns(_ options: BenchOptions) async throws -> [Workload.Sample] {
    let count = options.isQuick ? 2000 : 5000
    return try await withMesh { mesh in
        try await onMesh {
            // All stay until the end, so that none ends while others are made.
            var actors = try await spawn(100, on: mesh, atOnce: 100, ActorOptions(placement: .shared))
            var samples: [Workload.Sample] = []
            for _ in 0..<options.runs {
                let start = now()
                actors += try await spawn(count, on: mesh, atOnce: 200, ActorOptions(placement: .shared))
                samples.append(Workload.Sample(value: Double(count) / seconds(since: start)))
            }
            return samples
        }
    }
}

/// Spawns actors, so many at once.
@concurrent func spawn(
    _ count: Int,
    on mesh: Mesh,
    atOnce limit: Int,
    _ options: ActorOptions
) async throws -> [BenchActor] {
    try await withThrowingTaskGroup(of: BenchActor.self) { group in
        var actors: [BenchActor] = []
        for index in 0..<count {
            if index >= limit, let actor = try await group.next() { actors.append(actor) }
            group.addTask { try await mesh.spawn(BenchActor.self, options: options) }
        }
        for try await actor in group { actors.append(actor) }
        return actors
    }
}

/// Starts processes that do nothing, and waits until all have ended. Returns how many seconds that took. Blocks.
private func bareProcesses(_ count: Int) throws -> Double {
    let start = now()
    let processes = try (0..<count).map { _ in try ChildProcess("/bin/true", ["true"]) }
    for process in processes { process.wait() }
    return seconds(since: start)
}

extension Sequence {
    /// The results of an asynchronous function, one after the other.
    @concurrent func asyncMap<Value>(_ transform: @concurrent (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
