import ActorMesh
import Foundation
import MeshCluster
import MeshCore
import MeshFixtures
import MeshRuntime
import MeshSecurity
import Testing

extension Processes {
    /// B4: whoever has a driver's key speaks for himself alone, also to nodes.
    @Suite struct KeysOfDrivers {
        @Test("a driver gives back and ends no worker that another has leased, and is nobody's worker")
        func others() async throws {
            let folder = FileManager.default.temporaryDirectory.path + "/keys-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let key = try MeshKey.make()
            try KeyFile.write(key, to: "\(folder)/mesh.key")
            try KeyFile.write(try key.key(of: try #require(KeyIdentity(.driver, 1))), to: "\(folder)/driver.key")

            let environment = ["MESH_KEY_FILE": "\(folder)/mesh.key"]
            let broker = try FixtureProgram("broker", "--bind", "tcp://127.0.0.1:*", environment: environment)
            let address = try #require(await broker.line()?.split(separator: " ").last.map(String.init))
            let node = try FixtureProgram("node", "--mesh", address, environment: environment)
            _ = try #require(await node.line())

            let other = PeerID(4711)
            // A member may speak for others.
            let lease = try await withMesh(
                MeshConfiguration(address: address, keyFile: "\(folder)/mesh.key", program: Fixtures.program)
            ) { mesh in
                try await mesh.membership.broker().leaseWorker(
                    program: Fixtures.program, for: other, isNested: false)
            }
            try await withMesh(
                MeshConfiguration(address: address, keyFile: "\(folder)/driver.key", program: Fixtures.program)
            ) { mesh in
                let agent = try mesh.service(NodeAgent.self, WellKnown.node, at: lease.node)
                let worker = lease.worker.peer
                #expect(await codeThrown { try await agent.returnWorker(worker) } == .unauthorized)
                #expect(await codeThrown { try await agent.endLease(worker, of: other) } == .unauthorized)
                #expect(ProcessTable.isRunning(lease.worker.processID))
                let (broker, own) = (try mesh.membership.broker(), mesh.address.peer)
                let code = await codeThrown { try await broker.report(HoldChanges(), by: own, on: lease.node.peer) }
                #expect(code == .unauthorized)
                // Its own it may give back.
                let mine = try await broker.leaseWorker(program: Fixtures.program, for: own, isNested: false)
                try await agent.returnWorker(mine.worker.peer)
            }
        }
    }
}
