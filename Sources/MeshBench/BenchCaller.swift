public import ActorMesh

/// Calls others as fast as it can, in the measurement of several callers.
public distributed actor BenchCaller: RemoteActor {
    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Calls the actors in turn for so many seconds. Returns how many calls a second there were.
    public distributed func call(_ actors: [BenchActor], for time: Double) async throws -> Double {
        try await callRate(actors, on: self.actorSystem, for: time)
    }
}

/// A task that does nothing.
public struct BenchTask: RemoteTask {
    /// Comes back as the result.
    public var number: Int

    /// Returns the number.
    public func run(on mesh: Mesh) async throws -> Int { self.number }
}
