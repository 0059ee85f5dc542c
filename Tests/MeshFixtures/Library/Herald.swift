public import ActorMesh

/// Tells a witness things, one-way, and is gone.
public struct Announcement: RemoteTask {
    private var witness: Witness
    private var count: Int

    /// One that is made so many times.
    public init(to witness: Witness, count: Int) {
        self.witness = witness
        self.count = count
    }

    /// Says what it has to say, and ends at once.
    public func run(on mesh: Mesh) async throws -> Int {
        for _ in 0..<self.count { try await mesh.tell { try await self.witness.reach("announced") } }
        return self.count
    }
}

/// An actor that does the same, also as its last words.
public distributed actor Herald: RemoteActor {
    private let witness: Witness

    /// Makes one.
    public init(_ witness: Witness, actorSystem: Mesh) {
        self.witness = witness
        self.actorSystem = actorSystem
    }

    /// Says something so many times.
    public distributed func announce(_ count: Int) async throws {
        for _ in 0..<count { try await self.actorSystem.tell { try await self.witness.reach("announced") } }
    }

    /// Says something so many times, and ends.
    public distributed func announceAndExit(_ count: Int) async throws {
        try await self.announce(count)
        try ActorContext.current.exit()
    }

    /// Says it once more.
    public func cleanUp(because cause: ActorTermination.Cause) async {
        try? await self.actorSystem.tell { try await self.witness.reach("cleaned up") }
    }
}
