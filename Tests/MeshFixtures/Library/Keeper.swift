public import ActorMesh

/// Keeps handles to others of its kind, passes them on, and lets them go.
public distributed actor Keeper: RemoteActor {
    private var kept: [Keeper] = []

    /// Makes one that keeps nothing.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Keeps a handle.
    public distributed func keep(_ other: Keeper) { self.kept.append(other) }

    /// Keeps the handles inside of a value of many layers.
    public distributed func keepAll(_ others: [String: [Keeper?]]) {
        self.kept += others.values.flatMap { $0 }.compactMap { $0 }
    }

    /// Keeps itself.
    public distributed func keepMyself() { self.kept.append(self) }

    /// Keeps nothing.
    public distributed func look(at other: Keeper) -> Int { self.kept.count }

    /// Gives back what came, of any type.
    public distributed func echo<Value: Codable & Sendable>(_ value: Value) -> Value { value }

    /// Fails with a handle in its hand.
    public distributed func refuse(_ other: Keeper) throws { throw Refusal.closed }

    /// The handles that it keeps.
    public distributed func all() -> [Keeper] { self.kept }

    /// The first of them, which it keeps no more.
    public distributed func give() -> Keeper? { self.kept.isEmpty ? nil : self.kept.removeFirst() }

    /// Passes all on, and keeps none.
    public distributed func pass(to other: Keeper) async throws {
        while let one = self.kept.popLast() { try await other.keep(one) }
    }

    /// Has another keep this one.
    public distributed func introduce(to other: Keeper) async throws { try await other.keep(self) }

    /// Says that it runs, and goes on when the witness has seen "go".
    public distributed func hold(_ witness: Witness) async throws {
        try await witness.reach("held")
        try await witness.wait(for: "go", count: 1)
    }

    /// Tells the witness.
    public distributed func note(_ text: String, _ witness: Witness) async throws { try await witness.reach(text) }

    /// This one.
    public distributed func me() -> Keeper { self }

    /// Lets all go.
    public distributed func drop() { self.kept = [] }

    /// How many it keeps.
    public distributed func count() -> Int { self.kept.count }

    /// The handles that it keeps, one after the other.
    public distributed func stream() -> MeshStream<Keeper> {
        let (stream, continuation) = MeshStream.makeStream(of: Keeper.self)
        let kept = self.kept
        self.kept = []
        Task {
            for one in kept { try await continuation.send(one) }
            continuation.finish()
        }
        return stream
    }
}

/// A task that keeps a handle in a field until the witness has seen "go".
public struct Keeping: RemoteTask {
    private var kept: Keeper
    private var witness: Witness

    /// Makes the task.
    public init(_ kept: Keeper, _ witness: Witness) {
        self.kept = kept
        self.witness = witness
    }

    /// Waits, and then asks the kept one how many it keeps.
    public func run(on mesh: Mesh) async throws -> Int {
        try await self.witness.reach("held")
        try await self.witness.wait(for: "go", count: 1)
        return try await self.kept.count()
    }
}
