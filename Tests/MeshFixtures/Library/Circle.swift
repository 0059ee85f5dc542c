public import ActorMesh

/// Calls others who call back.
public distributed actor Circle: RemoteActor {
    private var passed = 0

    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Calls each of the actors by way of the one before it, and returns how many calls that were.
    public distributed func pass(through path: [Circle]) async throws -> Int {
        self.passed += 1
        guard let next = path.first else { return 1 }
        return try await next.pass(through: Array(path.dropFirst())) + 1
    }

    /// The same, but does not await the call: nobody waits in a circle then.
    public distributed func tell(through path: [Circle]) async throws {
        self.passed += 1
        guard let next = path.first else { return }
        try await self.actorSystem.tell { try await next.tell(through: Array(path.dropFirst())) }
    }

    /// How often it was called by one of the two.
    public distributed func count() -> Int { self.passed }
}
