import ActorMesh

distributed actor Counter: RemoteActor {
    private var value = 0

    distributed func increment() -> Int {
        self.value += 1
        return self.value
    }

    distributed func current() -> Int { self.value }
}

/// Increments a counter whose handle it was given.
struct Increment: RemoteTask {
    var counter: Counter
    var times: Int

    func run(on mesh: Mesh) async throws -> Done {
        for _ in 0..<self.times { _ = try await self.counter.increment() }
        return Done()
    }
}

@main
struct Counters: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        var counters: [Counter] = []
        for _ in 0..<10 { counters.append(try await mesh.spawn(Counter.self)) }

        // Ten actors, ten processes: these calls run side by side.
        var results: [ObjectRef<Int>] = []
        for counter in counters { results.append(try await mesh.submit { try await counter.increment() }) }
        print(try await mesh.get(results))

        // One actor: these run one after the other, in the order in which they were submitted.
        let first = counters[0]
        results = []
        for _ in 0..<5 { results.append(try await mesh.submit { try await first.increment() }) }
        print(try await mesh.get(results))

        // A handle is a value like any other: four tasks get the same one.
        var tasks: [ObjectRef<Done>] = []
        for _ in 0..<4 { tasks.append(try await mesh.submit(Increment(counter: first, times: 25))) }
        _ = try await mesh.get(tasks)
        print(try await first.current())
    }
}
