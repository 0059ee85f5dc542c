import ActorMesh
import MeshFixtures
import MeshTesting
import Testing

extension Integration {
    @Suite("Persistence", .timeLimit(.minutes(10)))
    struct PersistenceTests {
        private func spawn(
            _ test: TestMesh, in part: Int = 1, _ arguments: Tally.Arguments = .init(key: "k")
        ) async throws -> Tally {
            try await test.host(in: part) { try Tally(arguments, actorSystem: $0) }
        }

        @Test("a new actor with the same key has the state, before its first call", arguments: TestMesh.Form.allCases)
        func restored(form: TestMesh.Form) async throws {
            try await withTestMesh(form, parts: 3, stateStore: MemoryStateStore()) { test in
                let first = try await self.spawn(test)
                #expect(try await first.add(99) == 99)
                #expect(try await first.add(-66) == 33)
                test.lose(1)
                let second = try await self.spawn(test, in: 2)
                #expect(try await second.count() == 33)
                #expect(try await second.even() == false)
                #expect(try await second.restorations() == 1)
                #expect(second.id != first.id)
                // Another key is another state.
                let other = try await self.spawn(test, in: 2, .init(key: "other"))
                #expect(try await other.count() == 0)
            }
        }

        @Test("the fresh state is stored when the actor is made, and is the stored one from then on")
        func fresh() async throws {
            try await withTestMesh(stateStore: MemoryStateStore()) { test in
                let first = try await self.spawn(test, .init(key: "k", count: 7))
                #expect(try await first.restorations() == 0)
                let second = try await self.spawn(test, .init(key: "k", count: 8))
                #expect(try await second.count() == 7)
                // The arguments are judged all the same.
                await #expect(throws: Refusal.insufficient(missing: 1)) {
                    try await self.spawn(test, .init(key: "k", count: -1))
                }
            }
        }

        @Test("the name is the key of an actor that gives none; one without either is refused")
        func keys() async throws {
            try await withTestMesh(stateStore: MemoryStateStore()) { test in
                let named = try await test.host(name: "till") { try Tally(.init(), actorSystem: $0) }
                #expect(try await named.add(5) == 5)
                let keyed = try await self.spawn(test, .init(key: "till"))
                #expect(try await keyed.count() == 5)
                #expect(await codeThrown { try await self.spawn(test, .init()) } == .invalidArgument)
            }
        }

        @Test("what cannot be kept is refused: side by side, and without a store")
        func refused() async throws {
            try await withTestMesh(stateStore: MemoryStateStore()) { test in
                let code = await codeThrown {
                    try await test.host(maxConcurrency: 2) { try Tally(.init(key: "k"), actorSystem: $0) }
                }
                #expect(code == .invalidArgument)
            }
            try await withTestMesh { test in
                #expect(await codeThrown { try await self.spawn(test) } == .invalidArgument)
            }
        }

        @Test("a save per call that changed something, and none for others; errors and messages count too")
        func saves() async throws {
            let store = MemoryStateStore()
            try await withTestMesh(stateStore: store) { test in
                let tally = try await self.spawn(test)
                #expect(store.saves == 1)
                _ = try await tally.count()
                #expect(store.saves == 1)
                _ = try await tally.add(1)
                _ = try await tally.addInTwoSteps()
                #expect(store.saves == 3)
                await #expect(throws: Refusal.insufficient(missing: 2)) { try await tally.addAndRefuse(2) }
                #expect(store.saves == 4)
                try await test.meshes[0].tell { _ = try await tally.add(10) }
                #expect(try await tally.count() == 15)
                #expect(store.saves == 5)
                let next = try await self.spawn(test)
                #expect(try await next.count() == 15)
            }
        }

        @Test("a call whose effect cannot be saved fails with the store's words, and the actor goes back")
        func failedSave() async throws {
            let store = MemoryStateStore()
            try await withTestMesh(stateStore: store) { test in
                let tally = try await self.spawn(test)
                _ = try await tally.add(1)
                store.fail(.before)
                let error = await #expect(throws: MeshError.self) { try await tally.add(2) }
                #expect(error?.code == .systemFailure)
                #expect(error?.message.contains("no space left, says the test") == true, "\(String(describing: error))")
                #expect(error?.message.contains("Tally.add") == true)
                #expect(try await tally.count() == 1)
                #expect(try await tally.even() == false, "what follows from the state was worked out again")
                #expect(try await tally.add(3) == 4)
                let next = try await self.spawn(test)
                #expect(try await next.count() == 4)
            }
        }

        @Test("when a save failed but is there all the same, the actor goes on with what is there")
        func uncertainSave() async throws {
            let store = MemoryStateStore()
            try await withTestMesh(stateStore: store) { test in
                let tally = try await self.spawn(test)
                store.fail(.after)
                #expect(await codeThrown { try await tally.add(2) } == .systemFailure)
                let count = try await tally.count()
                let next = try await self.spawn(test)
                #expect(try await next.count() == count)
            }
        }

        @Test("an actor whose state can neither be saved nor read ends")
        func lostStore() async throws {
            let store = MemoryStateStore()
            try await withTestMesh(stateStore: store) { test in
                let tally = try await self.spawn(test)
                store.fail(.forGood)
                #expect(await codeThrown { try await tally.add(2) } == .systemFailure)
                #expect(await codeThrown { try await tally.count() } == .actorDied)
                #expect(await codeThrown { try await self.spawn(test) } == .systemFailure)
                store.repair()
                let next = try await self.spawn(test)
                #expect(try await next.count() == 0)
            }
        }

        @Test("the newer of two actors with a key has the state; the older ends with its next save")
        func fenced() async throws {
            try await withTestMesh(parts: 3, stateStore: MemoryStateStore()) { test in
                let older = try await self.spawn(test)
                _ = try await older.add(1)
                let newer = try await self.spawn(test, in: 2)
                #expect(try await newer.add(1) == 2)
                let error = await #expect(throws: MeshError.self) { try await older.add(1) }
                #expect(error?.code == .actorDied)
                #expect(error?.message.contains("taken it over") == true, "\(String(describing: error))")
                #expect(await codeThrown { try await older.count() } == .actorDied)
                #expect(try await newer.count() == 2)
            }
        }

        @Test("a cancelled call is saved as far as it came")
        func cancelled() async throws {
            try await withTestMesh(stateStore: MemoryStateStore()) { test in
                let tally = try await self.spawn(test)
                let running = try await test.meshes[0].submit { try await tally.addInTwoSteps() }
                test.meshes[0].cancel(running)
                _ = try? await running.value
                let count = try await tally.count()
                let next = try await self.spawn(test)
                #expect(try await next.count() == count)
            }
        }
    }
}
