import ActorMesh
import FoundationEssentials
import MeshCore
import MeshFixtures
import MeshRuntime
import MeshTesting
import Testing

extension Integration {
    @Suite("Objects, when somebody goes at a bad time (O1, O2, O3)", .timeLimit(.minutes(10)))
    struct ObjectsLeftTests {
        @Test("a large result whose maker died before its owner heard of it is freed; one that the owner has stays")
        func unheard() async throws {
            let settings = MeshSettings(leaseTime: .seconds(1), heartbeatInterval: .milliseconds(100))
            try await withTestMesh(parts: 3, settings: settings) { test in
                let (owner, worker, node) = (test.meshes[0], test.meshes[1], test.meshes[2])
                worker.objects.setKeeper(node.address)
                node.objects.prepare(on: node)
                owner.objects.prepare(on: owner)
                // The worker knows whose task it runs.
                _ = try await worker.service(ObjectHost.self, WellKnown.objects, at: owner.address).lacks(
                    [], of: .random())
                let stored = try await worker.store(Cargo.sample(1, bytes: 1 << 20), for: owner.address.peer)
                _ = try await worker.store(Cargo.sample(2, bytes: 1 << 20), for: owner.address.peer)
                let heard = StoredValue(try #require(stored).object, holds: EncodedValue(), isOwn: true, on: owner)
                #expect(node.objects.storeIfMade?.usage.count == 2)
                test.lose(1)
                while node.objects.storeIfMade?.usage.count != 1 { try await Task.sleep(for: .milliseconds(5)) }
                withExtendedLifetime(heard) {}
            }
        }

        @Test("get(timeout:) also bounds the time that a value takes from another host; later it comes")
        func transfer() async throws {
            try await withTestMesh(hosts: ["a", "b"]) { test in
                let (one, other) = (test.meshes[0], test.meshes[1])
                let cargo = Cargo.sample(2, bytes: 9 << 20)
                let ref = try await one.put(cargo)
                let there = try other.decode(ObjectRef<Cargo>.self, from: try one.encode(ref), what: "a reference")
                _ = try await other.wait([there])
                test.cut(0, 1)
                let error = await #expect(throws: MeshError.self) {
                    try await other.get(there, timeout: .milliseconds(200))
                }
                #expect(error?.code == .deadlineExceeded)
                let several = await #expect(throws: MeshError.self) {
                    try await other.get([there, there], timeout: .milliseconds(200))
                }
                #expect(several?.code == .deadlineExceeded)
                test.heal()
                #expect(try await other.get([there, there], timeout: .seconds(30)) == [cargo, cargo])
            }
        }
    }
}
