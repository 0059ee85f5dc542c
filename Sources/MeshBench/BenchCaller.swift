public import ActorMesh

/// Calls others as fast as it can, in the measurement of several callers.
public distributed actor BenchCaller: RemoteActor {
    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Calls the actors in turn for so many seconds. Returns how many calls a second there were.
    public distributed func call(_ actors: [BenchActor], for time: Double) async throws -> Double {
        try await callRate(actors, on: self.actorSystem, for: time)
    }

    /// Finds an actor by its name, so often in each of so many tasks.
    public distributed func find(_ name: String, callers: Int, count: Int) async throws {
        let mesh = self.actorSystem
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<callers {
                group.addTask {
                    for _ in 0..<count { _ = try await mesh.find(BenchActor.self, named: name) }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// A task that does nothing.
public struct BenchTask: RemoteTask {
    /// Comes back as the result.
    public var number: Int

    /// Returns the number.
    public func run(on mesh: Mesh) async throws -> Int { self.number }
}
