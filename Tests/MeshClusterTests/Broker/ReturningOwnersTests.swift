import Distributed
import FoundationEssentials
import Logging
import MeshCore
import MeshMessagePack
import MeshRuntime
import MeshTransportInProcess
import Testing

@testable import MeshCluster

/// Owners of actors that an earlier broker wrote down.
@Suite struct ReturningOwnersTests {
    @Test("L3: an owner that joins before the broker has begun is not given up; one that does not join is awaited")
    func joinsEarly() async throws {
        let (early, late) = (RegistryHarness.address(PeerID(99)), RegistryHarness.address(PeerID(98)))
        let transport = InProcessHub().makeTransport()
        let address = PeerAddress(
            peer: PeerID(7), host: early.host, processID: 7, startTime: 1, endpoints: transport.endpoints)
        let mesh = Mesh(transport: transport, address: address, logger: Logger(label: "test"))
        mesh.start()
        let stored = try Self.stored(ownedBy: [early, late])
        _ = try await mesh.hostService(Broker.self, WellKnown.broker) { mesh in
            try Broker(actorSystem: mesh, store: ForgetfulStore(), stored: stored)
        }

        let broker = try mesh.service(Broker.self, WellKnown.broker, at: mesh.address)
        _ = try await broker.join(early)
        try await Broker.begin(on: mesh)

        let missing = await broker.whenLocal { Set($0.missingOwners.keys) }
        #expect(missing == [late.peer])
        mesh.stop(reason: "the test is over")
    }

    private static func stored(ownedBy owners: [PeerAddress]) throws -> StoredRegistry {
        var harness = RegistryHarness()
        var stored = StoredRegistry()
        for owner in owners {
            let spec = RegistryHarness.spec(owner: ActorOwner(process: owner.peer))
            try harness.spawn(spec, holder: owner.peer)
            let record = try #require(harness.registry.record(of: spec.id))
            stored.actors[spec.id] = try MessagePackEncoder().encode(record)
        }
        return stored
    }
}

/// Takes everything and keeps nothing.
private struct ForgetfulStore: RegistryStore {
    func open() async throws -> StoredRegistry { StoredRegistry() }
    func write(_ changes: RegistryChanges) async throws {}
}
