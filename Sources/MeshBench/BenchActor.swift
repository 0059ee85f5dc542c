public import ActorMesh
public import FoundationEssentials

/// What is called in the measurements of calls.
public distributed actor BenchActor: RemoteActor {
    private var value = 0
    private var notes = 0

    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Counts.
    public distributed func increment() -> Int {
        self.value += 1
        return self.value
    }

    /// Adds to a sum.
    public distributed func add(_ amount: Int) -> Int {
        self.value += amount
        return self.value
    }

    /// Takes something in.
    public distributed func note(_ value: Int) { self.notes += 1 }

    /// How often `note` was called since this was asked last.
    public distributed func takeNotes() -> Int {
        defer { self.notes = 0 }
        return self.notes
    }

    /// Sends back what it gets.
    public distributed func echo(_ data: Data) -> Data { data }
}
