import ActorMesh
import Glibc
import MeshCluster
import MeshFixtures
import MeshRuntime
import Testing

extension Processes {
    /// L4: an actor that dies unexpectedly is started again, as often as it may be, under the same handle and name.
    @Suite("L4: restarts") struct Restarts {
        @Test("kill -9: the constructor runs again with the same arguments, under the same handle and name")
        func killed() async throws {
            try await withFixtures { mesh in
                let phoenix = try await mesh.spawn(
                    Phoenix.self, .init(motto: "again"), options: .init(name: "phoenix", maxRestarts: 2))
                for life in 1...3 {
                    let state = try await phoenix.state()
                    #expect(state.incarnation == UInt64(life))
                    #expect(state.motto == "again")
                    #expect(state.calls == 1, "its state begins anew")
                    let found = try await mesh.find(Phoenix.self, named: "phoenix")
                    #expect(try await found.state().process == state.process)
                    guard life < 3 else { break }
                    kill(state.process, SIGKILL)
                    // A call that was under way fails, one that comes later waits for the next life.
                    try await poll { (try? await phoenix.state().incarnation) == UInt64(life + 1) }
                    try await phoenix.reset()
                }
            }
        }

        @Test("who calls an actor for the first time when its process has died reaches its next life")
        func neverCalled() async throws {
            try await withFixtures { mesh in
                let hatchery = try await mesh.spawn(Hatchery.self)
                let phoenix = try await hatchery.child()
                kill(try await phoenix.state().process, SIGKILL)
                try await poll { (try? await phoenix.state().incarnation) == 2 }
                #expect(try await hatchery.state().incarnation == 2)
            }
        }

        @Test("who takes a life for over that is not is sent there again, when every death would be known")
        func mistaken() async throws {
            let settings = MeshSettings(leaseTime: .milliseconds(500), heartbeatInterval: .milliseconds(50))
            try await withFixtures(settings: settings) { mesh in
                let phoenix = try await mesh.spawn(
                    Phoenix.self, .init(motto: "here"), options: .init(maxRestarts: .unlimited))
                let actor = (phoenix.id as ActorID).uniqueID
                let location = try await mesh.membership.locate(actor, after: 1, hasEnded: true)
                #expect(location.incarnation == 1)
                #expect(location.address.processID == (try await phoenix.state().process))
            }
        }

        @Test("more deaths than it may have end it, and say so")
        func exhausted() async throws {
            try await withFixtures { mesh in
                let phoenix = try await mesh.spawn(Phoenix.self, .init(motto: "once"), options: .init(maxRestarts: 1))
                kill(try await phoenix.state().process, SIGKILL)
                try await poll { (try? await phoenix.state().incarnation) == 2 }
                kill(try await phoenix.state().process, SIGTERM)
                let termination = try await mesh.terminated(phoenix)
                #expect(termination.cause == .restartsExhausted, "\(termination)")
                #expect(termination.process?.signal == SIGTERM, "\(termination)")
                #expect(termination.incarnation == 2)
                #expect(await codeThrown { try await phoenix.state() } == .actorDied)
            }
        }
    }
}
