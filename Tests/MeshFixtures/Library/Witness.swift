public import ActorMesh
import MeshTesting

/// Keeps checkpoints that actors in other processes reach and wait for. Spawn it with ``options``, or those who wait
/// hold up those who come.
public distributed actor Witness: RemoteActor {
    private let checkpoints = Checkpoints()

    /// Makes one that has seen nothing.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Many may wait at the same time.
    public static let options = ActorOptions(placement: .shared, maxConcurrency: 1_000_000, maxPendingCalls: 1_000_000)

    /// Notes that a checkpoint was reached.
    public distributed func reach(_ name: String) { self.checkpoints.reach(name) }

    /// Returns when a checkpoint has been reached so many times.
    public distributed func wait(for name: String, count: Int) async throws {
        try await self.checkpoints.wait(for: name, count: count)
    }

    /// How often a checkpoint was reached.
    public distributed func count(of name: String) -> Int { self.checkpoints.count(of: name) }

    /// Every checkpoint in order.
    public distributed func log() -> [String] { self.checkpoints.log }
}
