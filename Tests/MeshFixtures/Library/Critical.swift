public import ActorMesh

/// Notices when two of its calls run at the same time.
public distributed actor Critical: RemoteActor {
    private var inside = 0
    private var most = 0
    private var steps: [Int] = []

    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Suspends in the middle, in several ways: on the scheduler and for a call to another process.
    public distributed func enter(_ number: Int, _ witness: Witness) async throws -> Int {
        self.inside += 1
        // Also when the call is cancelled while it waits for the witness.
        defer { self.inside -= 1 }
        self.most = max(self.most, self.inside)
        self.steps.append(number)
        await Task.yield()
        try await witness.reach("inside")
        await Task.yield()
        self.steps.append(number)
        return number
    }

    /// Waits inside until the witness has seen "go".
    public distributed func enterAndWait(_ witness: Witness) async throws {
        self.inside += 1
        defer { self.inside -= 1 }
        self.most = max(self.most, self.inside)
        try await witness.reach("waiting inside")
        try await witness.wait(for: "go", count: 1)
    }

    /// The most calls that were ever inside together.
    public distributed func mostInside() -> Int { self.most }

    /// The number of each call as it came in and as it went out.
    public distributed func trace() -> [Int] { self.steps }
}
