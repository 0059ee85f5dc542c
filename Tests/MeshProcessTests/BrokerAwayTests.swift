import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// B1: calls between actors that know each other go on while the broker is away; names resolve again when it is
    /// back. Broker, node and driver are processes of their own here.
    @Suite("B1: the broker may go") struct BrokerAway {
        @Test("kill -9 of the broker: handles work, names wait for its return, and come back with it")
        func killed() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self, options: .init(name: "blocker"))
                let board = try await mesh.spawn(Switchboard.self)
                try await board.connect("blocker", blocker)
                let held = try await mesh.submit { try await blocker.hold(witness, "held") }
                try await witness.wait(for: "held", count: 1)

                cluster.broker.send(SIGKILL)
                #expect(await cluster.broker.wait() == -SIGKILL)
                // A call that ran goes on; actors and drivers call each other as before.
                try await witness.reach("go")
                _ = try await held.value
                #expect(try await blocker.count() == 1)
                #expect(try await board.ring("blocker") == 2)
                // What needs the broker says so, and does not hang.
                try await poll {
                    await codeThrown { try await mesh.find(Blocker.self, named: "blocker") } == .brokerUnavailable
                }
                #expect(await codeThrown { try await mesh.spawn(Blocker.self) } == .brokerUnavailable)

                let second = try await cluster.restartBroker()
                try await poll {
                    guard let found = try? await mesh.find(Blocker.self, named: "blocker") else { return false }
                    return found.id == blocker.id
                }
                #expect(try await mesh.find(Blocker.self, named: "blocker").count() == 3)
                #expect(
                    await codeThrown { try await mesh.spawn(Blocker.self, options: .init(name: "blocker")) }
                        == .nameTaken)
                let fresh = try await mesh.spawn(Blocker.self)
                #expect(try await fresh.count() == 1)
                withExtendedLifetime(second) {}
            }
        }

        @Test("a spawn that reaches a new broker before the nodes do waits for them")
        func spawnsEarly() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                cluster.broker.send(SIGKILL)
                #expect(await cluster.broker.wait() == -SIGKILL)
                try await ProcessTable.freeze(cluster.node.processID)
                let second = try await cluster.restartBroker()
                try await poll { (try? await mesh.nodes().isEmpty) == true }
                let spawning = Task { try await mesh.spawn(Blocker.self) }
                cluster.node.send(SIGCONT)
                #expect(try await spawning.value.count() == 1)
                withExtendedLifetime(second) {}
            }
        }

        @Test("a task that is submitted while the broker is away, and others run, runs when it is back")
        func tasks() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let running = try await mesh.submit(Lingering(witness: witness))
                try await witness.wait(for: "started", count: 1)
                cluster.broker.send(SIGKILL)
                #expect(await cluster.broker.wait() == -SIGKILL)
                let waiting = try await mesh.submit(Lingering(witness: witness))
                let second = try await cluster.restartBroker()
                try await witness.wait(for: "started", count: 2)
                try await witness.reach("go")
                #expect(try await mesh.get([running, waiting]) == [1, 1])
                withExtendedLifetime(second) {}
            }
        }

        @Test("so does one that is the only one, and the first")
        func onlyTask() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                cluster.broker.send(SIGKILL)
                #expect(await cluster.broker.wait() == -SIGKILL)
                try await poll { await codeThrown { try await mesh.nodes() } == .brokerUnavailable }
                let waiting = try await mesh.submit(Whereabouts())
                let second = try await cluster.restartBroker()
                #expect(try await waiting.value == cluster.node.processID)
                withExtendedLifetime(second) {}
            }
        }

        @Test("kill -9 of a node: its workers are gone, and calls to its actors end")
        func nodeKilled() async throws {
            let cluster = try await Cluster()
            try await cluster.drive { mesh in
                let blocker = try await mesh.spawn(Blocker.self, options: .init(name: "blocker"))
                let worker = try await blocker.processID()
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let held = try await mesh.submit { try await blocker.hold(witness, "held") }
                try await witness.wait(for: "held", count: 1)
                cluster.node.send(SIGKILL)
                #expect(await codeThrown { try await held.value } == .actorDied)
                try await poll { !ProcessTable.isRunning(worker) }
                try await poll {
                    await codeThrown { try await mesh.find(Blocker.self, named: "blocker") } == .actorNotFound
                }
            }
        }

        @Test("a driver that leaves takes its actors with it, but not the detached ones")
        func driverLeaves() async throws {
            let cluster = try await Cluster()
            let (owned, detached) = try await cluster.drive { mesh in
                let owned = try await mesh.spawn(Blocker.self, options: .init(name: "owned"))
                let detached = try await mesh.spawn(Blocker.self, options: .init(name: "detached", lifetime: .detached))
                #expect(try await detached.count() == 1)
                return (try await owned.processID(), try await detached.processID())
            }
            try await poll { !ProcessTable.isRunning(owned) }
            #expect(ProcessTable.isRunning(detached))
            try await cluster.drive { mesh in
                #expect(await codeThrown { try await mesh.find(Blocker.self, named: "owned") } == .actorNotFound)
                let found = try await mesh.find(Blocker.self, named: "detached")
                #expect(try await found.count() == 2)
                try await mesh.kill(found)
            }
            try await poll { !ProcessTable.isRunning(detached) }
        }
    }
}
