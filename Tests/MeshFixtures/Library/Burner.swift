public import ActorMesh

/// Uses a processor for as long as it lives.
public distributed actor Burner: RemoteActor {
    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Begins, and never ends.
    public distributed func burn(_ witness: Witness) async throws {
        try await witness.reach("burning")
        var number: UInt64 = 88_172_645_463_325_252
        while !Task.isCancelled {
            for _ in 0..<100_000 {
                number ^= number << 13
                number ^= number >> 7
                number ^= number << 17
            }
            await Task.yield()
        }
        if number == 0 { try await witness.reach("burnt") }
    }
}
