import ActorMesh
import MeshCore
import MeshFixtures
import MeshRuntime
import MeshTesting

extension TestMesh {
    /// An actor that is passed around. It lives in the last part, and the test's own handle to it belongs to the first;
    /// whoever calls this lets go of that by leaving the scope.
    func makeKeeper(_ broker: RecordingBroker) async throws -> Keeper {
        let actor = try await self.host(in: self.meshes.count - 1) { Keeper(actorSystem: $0) }
        await broker.wait(for: actor.id.uniqueID, heldBy: self.peers(0))
        return actor
    }

    /// What a keeper of part 1 keeps, as a handle of part 1.
    func giveLocally(_ keeper: Keeper) async throws -> Keeper? {
        try await self.handle(to: keeper, seenFrom: 1).give()
    }

    /// Names an actor that does not exist.
    func stranger(part: Int = 1) -> HandleFields {
        HandleFields(
            id: .make(), typeName: "Keeper", name: nil, window: 1,
            location: ActorLocation(address: self.meshes[part].address, incarnation: 1))
    }
}
