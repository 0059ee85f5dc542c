import ActorMesh
import MeshCore
import MeshFixtures
import MeshRuntime
import MeshTesting
import Synchronization
import Testing

extension Integration {
    /// A peer that was silent for longer than the lease may be alive: it is given up for now, and not for ever.
    @Suite("Silence is not final", .timeLimit(.minutes(10)))
    struct SilenceTests {
        private static let settings = MeshSettings(leaseTime: .milliseconds(400), heartbeatInterval: .milliseconds(50))

        /// Waits until a part has given another one up.
        private func givenUp(_ one: Int, by other: Int, in test: TestMesh) async throws {
            let peer = test.meshes[one].address.peer
            #expect(try await poll { test.meshes[other].hasLost(peer) })
        }

        @Test("a caller that was cut off calls again when the network is back, in order and once", arguments: 0..<3)
        func callerComesBack(seed: UInt64) async throws {
            try await withTestMesh(settings: Self.settings, seed: seed) { test in
                let ledger = try await test.host { Ledger(actorSystem: $0) }
                for round in 0..<3 {
                    let base = round * 1000
                    for number in 0..<10 { _ = try await ledger.append("caller", base + number) }
                    test.cut(0, 1)
                    let lost = Task { try await ledger.append("lost", round) }
                    #expect(await codeThrown { try await lost.value } == .actorUnavailable)
                    test.heal()
                    var refs: [ObjectRef<Int>] = []
                    for number in 10..<100 {
                        refs.append(
                            try await test.meshes[0].submit { try await ledger.append("caller", base + number) })
                    }
                    _ = try await test.meshes[0].get(refs)
                }
                let history = try await ledger.history()
                #expect(history.duplicates == [])
                #expect(history.reordered == [])
                #expect(history.entries.filter { $0.caller == "caller" }.map(\.number).count == 300)
            }
        }

        @Test(
            "what was under way when the way broke arrives at most once, and before what came later", arguments: 0..<8)
        func lateMessages(seed: UInt64) async throws {
            try await withTestMesh(settings: Self.settings, seed: seed) { test in
                let ledger = try await test.host { Ledger(actorSystem: $0) }
                // Both directions in use, so that both sides have something under way.
                let back = try await test.host(in: 0, seenFrom: 1) { Ledger(actorSystem: $0) }
                var failed = 0
                for round in 0..<4 {
                    // Some arrive twice, some very late, after the links have been given up.
                    test.setFaults(
                        Faults(drop: 0.1, duplicate: 0.3, delay: 0.3, maximumDelay: .milliseconds(900)))
                    let refs = try await self.submit(round * 200..<round * 200 + 100, ledger, back, test)
                    test.cut(0, 1)
                    failed += await self.failures(refs)
                    test.heal()
                    let after = try await self.submit(round * 200 + 100..<round * 200 + 110, ledger, back, test)
                    _ = await self.failures(after)
                }
                test.setFaults(.none)
                // Once everything is calm, both ways work.
                for number in 0..<20 { _ = try? await ledger.append("end", number) }
                for number in 0..<20 { _ = try? await back.append("end", number) }
                try self.check(try await ledger.history())
                try self.check(try await back.history())
                #expect(failed > 0)
            }
        }

        private func submit(
            _ numbers: Range<Int>, _ ledger: Ledger, _ back: Ledger, _ test: TestMesh
        ) async throws -> [ObjectRef<Int>] {
            var refs: [ObjectRef<Int>] = []
            for number in numbers {
                refs.append(try await test.meshes[0].submit { try await ledger.append("there", number) })
                refs.append(try await test.meshes[1].submit { try await back.append("back", number) })
            }
            return refs
        }

        private func failures(_ refs: [ObjectRef<Int>]) async -> Int {
            var count = 0
            for ref in refs where await codeThrown(by: { try await ref.value }) != nil { count += 1 }
            return count
        }

        private func check(_ history: History) throws {
            #expect(history.duplicates.prefix(5) == [])
            #expect(history.reordered.prefix(5) == [])
        }

        @Test("the side that was given up learns so from its next message, and its calls end")
        func theOtherSide() async throws {
            try await withTestMesh(settings: Self.settings) { test in
                let blocker = try await test.host(in: 1) { Blocker(actorSystem: $0) }
                let witness = try await test.host(in: 0, maxConcurrency: 100, seenFrom: 1) { Witness(actorSystem: $0) }
                let own = try test.handle(to: witness, seenFrom: 0)
                // Part 1 waits for part 0, for which it will be asked no more.
                let waiting = try await test.meshes[1].submit { try await witness.wait(for: "never", count: 1) }
                #expect(try await blocker.count() == 1)
                try await own.reach("here")
                test.giveUp(1, by: 0)
                #expect(await codeThrown { try await waiting.value } == .actorUnavailable)
                #expect(try await blocker.count() == 2)
                #expect(try await witness.count(of: "here") == 1)
            }
        }

        @Test("a call that may be sent again waits for the way to come back, and runs once")
        func sameLife() async throws {
            try await withTestMesh(settings: Self.settings) { test in
                let directory = TestDirectory()
                test.setDirectory(directory)
                let actor = TestMesh.Restartable(retries: 1)
                let location = try await test.begin(actor, life: 1, in: 1) { Ledger(actorSystem: $0) }
                let ledger = try test.handle(Ledger.self, to: actor, at: location)
                #expect(try await ledger.append("caller", 0) == 1)
                test.cut(0, 1)
                var refs: [ObjectRef<Int>] = []
                for number in 1..<100 {
                    refs.append(try await test.meshes[0].submit { try await ledger.append("caller", number) })
                }
                try await directory.wait(forQuestions: 1)
                #expect(directory.questions.first?.hasEnded == false)
                for number in 100..<150 {
                    refs.append(try await test.meshes[0].submit { try await ledger.append("caller", number) })
                }
                test.heal()
                directory.set(actor.id, at: location)
                #expect(try await test.meshes[0].get(refs) == Array(2...150))
                let history = try await ledger.history()
                #expect(history.entries.map(\.number) == Array(0..<150))
            }
        }

        @Test("the window is whole again after messages were lost with the way")
        func tells() async throws {
            try await withTestMesh(settings: Self.settings) { test in
                let ledger = try await test.host(maxPendingCalls: 8) { Ledger(actorSystem: $0) }
                test.cut(0, 1)
                for number in 0..<8 { try await test.meshes[0].tell { _ = try await ledger.append("caller", number) } }
                try await self.givenUp(1, by: 0, in: test)
                test.heal()
                for number in 8..<100 {
                    try await test.meshes[0].tell { _ = try await ledger.append("caller", number) }
                }
                let history = try await ledger.history()
                #expect(history.entries.map(\.number) == Array(8..<100))
            }
        }

        @Test("a process answers for its life while its code blocks as many threads as it can")
        func blocked() async throws {
            let settings = MeshSettings(leaseTime: .seconds(2), heartbeatInterval: .milliseconds(100))
            try await withTestMesh(settings: settings) { test in
                let blockers = try await withThrowingTaskGroup(of: Blocker.self) { group in
                    for _ in 0..<80 { group.addTask { try await test.host { Blocker(actorSystem: $0) } } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                // Longer than the lease, on every thread there is.
                try await withThrowingTaskGroup { group in
                    for blocker in blockers {
                        group.addTask { try await blocker.blockThread(microseconds: 4_000_000) }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }
}
