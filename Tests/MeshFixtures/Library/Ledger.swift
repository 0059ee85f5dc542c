public import ActorMesh
public import MeshTesting

/// Writes down which calls it runs, in order.
public distributed actor Ledger: RemoteActor {
    private var entries = History()

    /// Makes an empty one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Writes one down, and returns how many there are.
    public distributed func append(_ caller: String, _ number: Int) -> Int {
        self.entries.record(caller, number)
        return self.entries.entries.count
    }

    /// The same, with a suspension before it is written.
    public distributed func appendLater(_ caller: String, _ number: Int) async -> Int {
        await Task.yield()
        self.entries.record(caller, number)
        return self.entries.entries.count
    }

    /// All that was written.
    public distributed func history() -> History { self.entries }
}
