public import ActorMesh
import Glibc

/// Ends itself, and its process while it cleans up.
public distributed actor Quitter: RemoteActor {
    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Kills its process.
    public func cleanUp(because cause: ActorTermination.Cause) async { kill(getpid(), SIGKILL) }

    /// Ends itself.
    public distributed func quit() throws { try ActorContext.current.exit() }
}
