import Distributed
package import MeshCore
package import MeshRuntime
import Synchronization

/// Actors that are started again.
extension TestMesh {
    /// An actor that a test ends and starts again, in parts of its choice.
    package struct Restartable: Sendable {
        package var id = UniqueID.make()
        package var retries: Limit
        package var mayRestart: Bool
        package var window: Int

        package init(retries: Limit = 0, mayRestart: Bool = true, window: Int = 1000) {
            self.retries = retries
            self.mayRestart = mayRestart
            self.window = window
        }
    }

    /// Begins a life of an actor. Returns where it is, for the directory.
    package func begin<Act: RemoteActor>(
        _ actor: Restartable, life incarnation: UInt64, in part: Int,
        _ make: @Sendable (Mesh) async throws -> Act
    ) async throws -> ActorLocation {
        _ = try await self.meshes[part].birth(
            Act.self, id: actor.id, name: nil, incarnation: incarnation, window: actor.window, maxConcurrency: 1,
            retries: actor.retries, mayRestart: actor.mayRestart, make)
        return ActorLocation(address: self.meshes[part].address, incarnation: incarnation)
    }

    /// A handle to an actor, as somebody gets it who is told that it is there.
    package func handle<Act: RemoteActor>(
        _ type: Act.Type, to actor: Restartable, at location: ActorLocation, seenFrom viewer: Int = 0
    ) throws -> Act {
        try self.meshes[viewer].handle(
            type,
            HandleFields(
                id: actor.id, typeName: String(reflecting: type), name: nil, window: actor.window, location: location,
                retries: actor.retries, mayRestart: actor.mayRestart))
    }

    /// Gives all parts a directory.
    package func setDirectory(_ directory: any MeshDirectory) {
        for mesh in self.meshes { mesh.directory.withLock { $0 = directory } }
    }
}
