public import ActorMesh
import Glibc
import MeshTesting

/// Holds its caller up, or ends its process, as it is told.
public distributed actor Blocker: RemoteActor {
    private var calls = 0

    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// The process that it lives in.
    public distributed func processID() -> Int32 { getpid() }

    /// How often the program has bootstrapped the process that this lives in.
    public distributed func bootstraps() -> Int { Fixtures.bootstraps }

    /// Counts.
    public distributed func count() -> Int {
        self.calls += 1
        return self.calls
    }

    /// Takes many bytes, and says how many.
    public distributed func weigh(_ bytes: [UInt8]) -> Int { bytes.count }

    /// Says that it runs, and goes on when the witness has seen "go". Says whether it ended or was cancelled.
    public distributed func hold(_ witness: Witness, _ name: String) async throws {
        try await witness.reach(name)
        do {
            try await witness.wait(for: "go", count: 1)
        } catch {
            await self.report(
                Task.isCancelled ? ["\(name) failed", "\(name) cancelled"] : ["\(name) failed"], to: witness)
            throw error
        }
        try await witness.reach("\(name) done")
    }

    /// Says that it runs, and then waits here for nothing but being cancelled, which it says too.
    public distributed func waitForCancellation(_ witness: Witness, _ name: String) async throws {
        try await witness.reach(name)
        try? await Checkpoints().wait(for: "what never comes")
        await self.report(["\(name) cancelled"], to: witness)
        try Task.checkCancellation()
    }

    /// Says that it runs, and then neither ends nor heeds a cancellation.
    public distributed func ignoreEverything(_ witness: Witness, _ name: String) async throws {
        try await witness.reach(name)
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }

    /// From a task of its own, which is neither cancelled nor past a deadline.
    private func report(_ names: [String], to witness: Witness) async {
        await Task.detached { for name in names { try? await witness.reach(name) } }.value
    }

    /// Calls the other one, which holds this one up.
    public distributed func holdThrough(_ other: Blocker, _ witness: Witness, _ name: String) async throws {
        try await other.hold(witness, name)
    }

    /// Blocks the thread that it runs on, as code that is not written for Swift's concurrency does.
    public distributed func blockThread(microseconds: UInt32) { usleep(microseconds) }

    /// Ends its process the hard way.
    public distributed func crash() { kill(getpid(), SIGKILL) }

    /// Ends its process as a failed precondition does.
    public distributed func trap() {
        signal(SIGABRT, SIG_DFL)
        abort()
    }

    /// Ends its process as a program that thinks it is done.
    public distributed func leave(status: Int32) { exit(status) }
}
