import ActorMesh
import MeshFixtures
import MeshTesting
import Testing

extension Integration {
    @Suite("A bad network", .timeLimit(.minutes(10)))
    struct NetworkFaultsTests {
        @Test("calls run once and in order although messages are lost, repeated and late", arguments: 0..<6)
        func exactlyOnce(seed: UInt64) async throws {
            let faults = Faults(
                drop: 0.2, duplicate: 0.2, delay: seed % 2 == 0 ? 0.5 : 0, maximumDelay: .milliseconds(30))
            try await withTestMesh(.inProcess, parts: 3, faults: faults, seed: seed) { test in
                let ledger = try await test.host { Ledger(actorSystem: $0) }
                let other = try test.handle(to: ledger, seenFrom: 2)
                async let second = self.pipeline(other, on: test.meshes[2], as: "second", count: 400)
                let first = try await self.pipeline(ledger, on: test.meshes[0], as: "first", count: 400)
                #expect(try await second == 400)
                #expect(first == 400)
                let history = try await ledger.history()
                #expect(history.duplicates.prefix(5) == [])
                #expect(history.lost(of: ["first": 400, "second": 400]).prefix(5) == [])
                #expect(history.reordered.prefix(5) == [])
                #expect(history.entries.count == 800)
            }
        }

        @Test("one-way messages run once and in order too", arguments: 0..<3)
        func tells(seed: UInt64) async throws {
            let faults = Faults(drop: 0.2, duplicate: 0.2, delay: 0.3, maximumDelay: .milliseconds(20))
            try await withTestMesh(.inProcess, faults: faults, seed: seed) { test in
                let ledger = try await test.host(maxPendingCalls: 50) { Ledger(actorSystem: $0) }
                for number in 0..<300 {
                    try await test.meshes[0].tell { _ = try await ledger.append("teller", number) }
                }
                let history = try await ledger.history()
                #expect(history.duplicates.prefix(5) == [])
                #expect(history.lost(of: ["teller": 300]).prefix(5) == [])
                #expect(history.reordered.prefix(5) == [])
            }
        }

        @Test("a connection that comes back goes on where it stopped")
        func reconnect() async throws {
            try await withTestMesh(.inProcess) { test in
                let mesh = test.meshes[0]
                let ledger = try await test.host { Ledger(actorSystem: $0) }
                _ = try await ledger.append("caller", 0)
                test.cut(0, 1)
                var refs: [ObjectRef<Int>] = []
                for number in 1..<200 {
                    refs.append(try await mesh.submit { try await ledger.append("caller", number) })
                }
                test.heal()
                #expect(try await mesh.get(refs) == Array(2...200))
                #expect(try await ledger.history().reordered.prefix(5) == [])
            }
        }

        @Test("a host that vanishes is given up after the lease time, and its calls end")
        func lease() async throws {
            let settings = MeshSettings(leaseTime: .milliseconds(800), heartbeatInterval: .milliseconds(100))
            try await withTestMesh(.inProcess, settings: settings, hosts: ["here", "there"]) { test in
                let blocker = try await test.host { Blocker(actorSystem: $0) }
                let witness = try await test.host(in: 0, maxConcurrency: 100, seenFrom: 0) { Witness(actorSystem: $0) }
                let running = try await test.meshes[0].submit { try await blocker.hold(witness, "held") }
                let waiting = try await test.meshes[0].submit { try await blocker.count() }
                try await witness.wait(for: "held", count: 1)
                let start = ContinuousClock.now
                test.cut(0, 1)
                let codes = [
                    await codeThrown { try await running.value }, await codeThrown { try await waiting.value },
                ]
                let time = ContinuousClock.now - start
                #expect(codes == [.actorUnavailable, .actorUnavailable])
                #expect(time >= .milliseconds(700), "\(time)")
                #expect(time < .seconds(10), "\(time)")
            }
        }

        @Test("a host that is only slow to answer is not given up")
        func busyHost() async throws {
            let settings = MeshSettings(leaseTime: .milliseconds(500), heartbeatInterval: .milliseconds(50))
            try await withTestMesh(.inProcess, settings: settings, hosts: ["here", "there"]) { test in
                let blocker = try await test.host { Blocker(actorSystem: $0) }
                // Longer than the lease: the call blocks a thread there, but that process still answers.
                try await blocker.blockThread(microseconds: 1_500_000)
                #expect(try await blocker.count() == 1)
            }
        }

        @Test("when a process ends its callers hear of it, and its own calls are forgotten")
        func lost() async throws {
            try await withTestMesh(.inProcess, parts: 3) { test in
                let witness = try await test.host(in: 0, maxConcurrency: 100) { Witness(actorSystem: $0) }
                let blocker = try await test.host(in: 1) { Blocker(actorSystem: $0) }
                let relay = try await test.host(in: 2) { Relay(actorSystem: $0) }
                // Part 2 calls part 1, and ends.
                let held = try await test.meshes[0].submit { try await relay.hold(blocker, witness, "held") }
                try await witness.wait(for: "held", count: 1)
                test.lose(2)
                #expect(await codeThrown { try await held.value } == .actorDied)
                try await witness.wait(for: "held cancelled", count: 1)
                #expect(try await blocker.count() == 1)
            }
        }

        private func pipeline(_ ledger: Ledger, on mesh: Mesh, as name: String, count: Int) async throws -> Int {
            var refs: [ObjectRef<Int>] = []
            for number in 0..<count { refs.append(try await mesh.submit { try await ledger.append(name, number) }) }
            return try await mesh.get(refs).count
        }
    }
}
