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

    /// Gets an object, and reads a byte of each page if it is to be touched. Returns how long that took, in
    /// milliseconds.
    distributed func get(_ ref: ObjectRef<Data>, touching: Bool) async throws -> Double {
        let start = now()
        let data = try await ref.value
        var sum = 0
        if touching { for index in stride(from: 0, to: data.count, by: 4096) { sum &+= Int(data[index]) } }
        let time = seconds(since: start) * 1000
        guard data.count > 0, sum >= 0 else { throw BenchError("no bytes") }
        return time
    }
}
