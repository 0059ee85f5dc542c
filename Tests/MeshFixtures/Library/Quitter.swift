public import ActorMesh
import Glibc

/// Ends itself, and its process while it cleans up.
public distributed actor Quitter: RemoteActor {
    private let witness: Witness

    /// Makes one.
    public init(_ witness: Witness, actorSystem: Mesh) {
        self.witness = witness
        self.actorSystem = actorSystem
    }

    /// Kills its process, as soon as the witness has seen "go".
    public func cleanUp(because cause: ActorTermination.Cause) async {
        try? await self.witness.wait(for: "go", count: 1)
        kill(getpid(), SIGKILL)
    }

    /// Ends itself.
    public distributed func quit() throws { try ActorContext.current.exit() }
}
