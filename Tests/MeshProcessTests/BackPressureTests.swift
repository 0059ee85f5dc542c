import ActorMesh
import Glibc
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// C7: per caller and actor at most `maxPendingCalls` are outstanding.
    @Suite("C7: back-pressure") struct BackPressureHolds {
        @Test("one call more than the limit suspends until another has ended")
        func waits() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self, options: .init(maxPendingCalls: 4))
                let held = try await mesh.submit { try await blocker.hold(witness, "held") }
                try await witness.wait(for: "held", count: 1)
                for _ in 0..<3 { _ = try await mesh.submit { try await blocker.count() } }

                // The fifth is not accepted before the first one ends.
                let accepted = Checkpoints()
                let fifth = Task {
                    let ref = try await mesh.submit { try await blocker.count() }
                    accepted.reach("fifth")
                    return try await ref.value
                }
                #expect(await codeThrown { try await self.tellAtOnce(mesh, blocker) } == .tooManyPendingCalls)
                #expect(accepted.count(of: "fifth") == 0)
                try await witness.reach("go")
                _ = try await held.value
                try await accepted.wait(for: "fifth")
                #expect(try await fifth.value == 4)
            }
        }

        @Test("failFast refuses one-way messages at the limit too, and works again when there is room")
        func failsFast() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self, options: .init(maxPendingCalls: 8))
                let held = try await mesh.submit { try await blocker.hold(witness, "held") }
                for _ in 0..<7 { try await self.tellAtOnce(mesh, blocker) }
                let refused = await codeThrown { try await self.tellAtOnce(mesh, blocker) }
                #expect(refused == .tooManyPendingCalls)
                try await witness.reach("go")
                _ = try await held.value
                #expect(try await blocker.count() == 8)
            }
        }

        private func tellAtOnce(_ mesh: Mesh, _ blocker: Blocker) async throws {
            try await mesh.tell(backPressure: .failFast) { _ = try await blocker.count() }
        }

        @Test("callers that wait for room are freed when the actor dies", arguments: ["kill", "SIGKILL"])
        func freedByDeath(how: String) async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self, options: .init(maxPendingCalls: 1))
                let process = try await blocker.processID()
                // A message that runs fills the window: no result of it will make room.
                try await mesh.tell { try await blocker.hold(witness, "held") }
                // A group, because its tasks are cancelled with this one when the time is up.
                await withTaskGroup(of: MeshError.Code?.self) { group in
                    for _ in 0..<5 { group.addTask { await codeThrown { try await blocker.count() } } }
                    await #expect(throws: Never.self) {
                        try await witness.wait(for: "held", count: 1)
                        if how == "kill" { try await mesh.kill(blocker) } else { kill(process, SIGKILL) }
                    }
                    for await code in group { #expect(code == .actorDied) }
                }
            }
        }

        @Test("large calls are bounded by their bytes: a second one of 40 MiB waits, a small one does not")
        func bytes() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self)
                let held = try await mesh.submit { try await blocker.hold(witness, "held") }
                let load = [UInt8](repeating: 7, count: 40 << 20)
                let first = try await mesh.submit { try await blocker.weigh(load) }
                let refused = await codeThrown {
                    try await mesh.tell(backPressure: .failFast) { _ = try await blocker.weigh(load) }
                }
                #expect(refused == .tooManyPendingCalls)
                let small = try await mesh.submit(backPressure: .failFast) { try await blocker.count() }
                try await witness.reach("go")
                _ = try await held.value
                #expect(try await first.value == load.count)
                #expect(try await small.value == 1)
                #expect(try await blocker.weigh(load) == load.count)
            }
        }

        @Test(
            "many tasks that tell at the same time through a small window all get through", arguments: [2, 8, 13, 100])
        func manyTellers(window: Int) async throws {
            try await withFixtures { mesh in
                let ledger = try await mesh.spawn(Ledger.self, options: .init(maxPendingCalls: window))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for teller in 0..<20 {
                        group.addTask {
                            for number in 0..<200 {
                                try await mesh.tell { _ = try await ledger.append("teller \(teller)", number) }
                                // Calls of the same window in between.
                                if number % 50 == 49 { _ = try await ledger.history() }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let history = try await ledger.history()
                #expect(history.entries.count == 4000)
                #expect(history.duplicates.prefix(5) == [])
                #expect(history.reordered.prefix(5) == [])
            }
        }

        @Test("messages to an actor that has ended in a living process end with an error, not in waiting")
        func tellsToTheDead() async throws {
            try await withFixtures { mesh in
                // Both share a process, which goes on when the one is killed, and the relay is not told of it.
                let blocker = try await mesh.spawn(
                    Blocker.self, options: .init(placement: .shared, maxPendingCalls: 10))
                let neighbour = try await mesh.spawn(Blocker.self, options: .init(placement: .shared))
                let relay = try await mesh.spawn(Relay.self)
                #expect(try await relay.tell(blocker, count: 5) == "accepted")
                try await mesh.kill(blocker)
                #expect(try await relay.tell(blocker, count: 100) == "actorDied")
                #expect(try await neighbour.count() == 1)
            }
        }
    }
}
