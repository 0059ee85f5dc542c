public import ActorMesh
import Glibc

/// A task that runs until it is cancelled or the witness has seen "go".
public struct Lingering: RemoteTask {
    private var witness: Witness

    /// Makes one that tells the witness what becomes of it.
    public init(witness: Witness) { self.witness = witness }

    /// Waits.
    public func run(on mesh: Mesh) async throws -> Int {
        try await self.witness.reach("started")
        do {
            try await self.witness.wait(for: "go", count: 1)
        } catch {
            // What tells the witness must not be cancelled itself.
            let witness = self.witness
            await Task { try? await witness.reach("cancelled") }.value
            throw error
        }
        return 1
    }
}

/// A task that calls the actor which submitted it.
public struct ReportBack: RemoteTask {
    fileprivate var foreman: Foreman

    /// Reports.
    public func run(on mesh: Mesh) async throws -> Int { try await self.foreman.report() }
}

/// Submits tasks that come back to it.
public distributed actor Foreman: RemoteActor {
    private let witness: Witness
    private var submitted: [ObjectRef<Int>] = []

    /// Makes one that tells the witness of each report.
    public init(_ arguments: Witness, actorSystem: Mesh) {
        self.actorSystem = actorSystem
        self.witness = arguments
    }

    /// Submits a task without awaiting it.
    public distributed func begin(_ handle: Foreman) async throws {
        self.submitted.append(try await self.actorSystem.submit(ReportBack(foreman: handle)))
    }

    /// Takes a report.
    public distributed func report() async throws -> Int {
        try await self.witness.reach("reported")
        return 1
    }
}

/// A task that says on which node it ran: the process of the node that started its worker.
public struct Whereabouts: RemoteTask {
    /// Makes one.
    public init() {}

    /// Takes long enough to have a worker of its own.
    public func run(on mesh: Mesh) async throws -> Int32 {
        try await Task.sleep(for: .milliseconds(20))
        return getppid()
    }
}

/// A task that submits another like it, and awaits that, so many times.
public struct Matryoshka: RemoteTask {
    private var depth: Int

    /// Makes one with so many others in it.
    public init(depth: Int) { self.depth = depth }

    /// How many there were, itself included.
    public func run(on mesh: Mesh) async throws -> Int {
        guard self.depth > 0 else { return 1 }
        return try await mesh.get(try await mesh.submit(Matryoshka(depth: self.depth - 1))) + 1
    }
}
