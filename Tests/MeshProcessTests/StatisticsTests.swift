import ActorMesh
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// What the mesh says of what its actors have done and do.
    @Suite struct Statistics {
        @Test("calls, failures and those that run and wait are counted where they are, also in another process")
        func counts() async throws {
            try await withFixtures { mesh in
                let moody = try await mesh.spawn(Moody.self, .init(mood: .good), options: .init(name: "moody"))
                for _ in 0..<5 { _ = try await moody.act(.good) }
                await #expect(throws: Refusal.self) { try await moody.act(.refuses) }

                // A call is counted when its runner goes on, a moment after the caller has its answer.
                try await poll { try await Self.actor(moody.id, on: mesh)?.calls == 6 }
                let statistics = try #require(try await Self.actor(moody.id, on: mesh))
                #expect(statistics.failures == 1)
                #expect(statistics.name == "moody")
                #expect(statistics.latencies.count == 6)
                #expect(statistics.busy > .zero)
                #expect(statistics.running == 0 && statistics.waiting == 0)
            }
        }

        @Test("whoever asks about an actor sees what it runs, what waits, and which call of its own it awaits")
        func calls() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self, options: .init(name: "blocker"))
                let relay = try await mesh.spawn(Relay.self, options: .init(name: "relay"))
                let held = try await mesh.submit { try await relay.hold(blocker, witness, "held") }
                try await witness.wait(for: "held", count: 1)
                let behind = try await mesh.submit { try await blocker.count() }

                let relayID = (relay.id as ActorID).uniqueID
                let blockerID = (blocker.id as ActorID).uniqueID
                try await poll { try await mesh.calls(concerning: blockerID).count { $0.actor == blockerID } == 2 }
                let ofBlocker = try await mesh.calls(concerning: blockerID).filter { $0.actor == blockerID }
                let running = try #require(ofBlocker.first { $0.runningFor != nil })
                #expect(running.method == "Blocker.hold(_:_:)")
                #expect(running.callingActor == relayID)
                #expect(running.caller.hasPrefix("Relay ("))
                #expect(ofBlocker.first { $0.runningFor == nil }?.method == "Blocker.count()")

                let ofRelay = try await mesh.calls(concerning: relayID)
                #expect(ofRelay.contains { $0.actor == relayID && $0.method == "Relay.hold(_:_:_:)" })
                #expect(ofRelay.contains { $0.callingActor == relayID && $0.actor == blockerID })

                try await witness.reach("go")
                _ = try await mesh.get(held)
                #expect(try await behind.value == 1)
                try await poll { try await mesh.calls(concerning: relayID).isEmpty }
            }
        }

        @Test("a program is bootstrapped once in each worker, before any of its actors is there")
        func bootstrap() async throws {
            try await withFixtures { mesh in
                for _ in 0..<2 {
                    let blocker = try await mesh.spawn(Blocker.self)
                    #expect(try await blocker.bootstraps() == 1)
                }
            }
        }

        @Test("every process is there once, with its role; one that is frozen is named as silent")
        func processes() async throws {
            try await withFixtures { mesh in
                let blocker = try await mesh.spawn(Blocker.self)
                let process = try await blocker.processID()
                let statistics = try await mesh.statistics()
                #expect(Set(statistics.processes.map(\.peer)).count == statistics.processes.count)
                #expect(statistics.processes.first?.role == .broker)
                let worker = try #require(statistics.processes.first { $0.processID == process })
                #expect(worker.role == .worker && !worker.node.isEmpty)
                #expect(worker.residentBytes > 1 << 20 && worker.bytesReceived > 0 && worker.bytesSent > 0)
                #expect(statistics.silent.isEmpty)

                try await ProcessTable.freeze(process)
                let frozen = try await mesh.statistics()
                #expect(frozen.silent.contains { $0.contains("worker \(process) ") })
                #expect(!frozen.processes.contains { $0.processID == process })
            }
        }

        private static func actor(_ id: ActorID, on mesh: Mesh) async throws -> ActorStatistics? {
            try await mesh.statistics().actors.first { $0.actor.id == id.uniqueID }?.actor
        }
    }
}
