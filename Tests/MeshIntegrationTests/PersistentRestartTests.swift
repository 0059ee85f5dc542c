import ActorMesh
import MeshCore
import MeshFixtures
import MeshRuntime
import MeshTesting
import Testing

extension Integration {
    /// C4: with a state that is kept and calls that are retried, each call has its effect once.
    @Suite("Persistent actors across restarts", .timeLimit(.minutes(10)))
    struct PersistentRestartTests {
        /// A tally whose process the test ends, seen from part 0.
        private struct Scene {
            var test: TestMesh
            var directory = TestDirectory()
            var actor: TestMesh.Restartable
            var tally: Tally

            init(_ test: TestMesh, retries: Limit = .unlimited) async throws {
                self.test = test
                test.setDirectory(self.directory)
                self.actor = TestMesh.Restartable(retries: retries)
                let first = try await test.begin(self.actor, life: 1, in: 1) {
                    try Tally(.init(key: "k"), actorSystem: $0)
                }
                self.tally = try test.handle(Tally.self, to: self.actor, at: first)
            }

            /// Begins another life, and tells the directory.
            func restart(life: UInt64, in part: Int) async throws {
                let location = try await self.test.begin(self.actor, life: life, in: part) {
                    try Tally(.init(key: "k"), actorSystem: $0)
                }
                self.directory.set(self.actor.id, at: location)
            }

            func submit(_ numbers: ClosedRange<Int>) async throws -> [ObjectRef<Int>] {
                var refs: [ObjectRef<Int>] = []
                for number in numbers {
                    refs.append(try await self.test.meshes[0].submit { try await self.tally.mark("caller", number) })
                }
                return refs
            }
        }

        @Test("a process that dies in the midst of its work: each call has its effect once, in order", arguments: 1...5)
        func midst(round: Int) async throws {
            try await withTestMesh(parts: 4, stateStore: MemoryStateStore()) { test in
                let scene = try await Scene(test)
                let refs = try await scene.submit(1...900)
                for life in 2...3 as ClosedRange<UInt64> {
                    _ = try await refs[Int(life) * 200 + round * 17].value
                    // Its code goes on as that of a process does that only seems dead.
                    test.lose(Int(life) - 1)
                    try await scene.restart(life: life, in: Int(life))
                }
                // Every answer is the count that the call itself has made.
                #expect(try await test.meshes[0].get(refs) == Array(1...900))
                #expect(try await scene.tally.marks() == ["caller": Tally.Mark(last: 900, count: 900)])
            }
        }

        @Test("an answer that was lost with its process is given by the next life, and the call runs no more")
        func lostAnswer() async throws {
            let store = MemoryStateStore()
            try await withTestMesh(parts: 3, stateStore: store) { test in
                let scene = try await Scene(test)
                #expect(try await scene.tally.add(1) == 1)
                // It arrives and runs, and is saved; what comes back is lost.
                let saves = store.saves
                test.cutOneWay(from: 1, to: 0)
                let ref = try await test.meshes[0].submit { try await scene.tally.add(1) }
                try await store.wait(forSaves: saves + 1)
                test.lose(1)
                test.heal()
                try await scene.restart(life: 2, in: 2)
                #expect(try await ref.value == 2)
                #expect(try await scene.tally.count() == 2)
            }
        }

        @Test("a link that is given up and made anew: each call has its effect once", arguments: 1...3)
        func givenUp(round: Int) async throws {
            try await withTestMesh(parts: 2, stateStore: MemoryStateStore()) { test in
                let scene = try await Scene(test)
                scene.directory.set(scene.actor.id, at: ActorLocation(address: test.meshes[1].address, incarnation: 1))
                let refs = try await scene.submit(1...300)
                _ = try await refs[40 * round].value
                test.giveUp(1, by: 0)
                _ = try await refs[80 * round].value
                test.giveUp(0, by: 1)
                #expect(try await test.meshes[0].get(refs) == Array(1...300))
                #expect(try await scene.tally.marks() == ["caller": Tally.Mark(last: 300, count: 300)])
            }
        }

        @Test("a caller that lets go of its handle and gets another makes new calls with it")
        func newHandle() async throws {
            try await withTestMesh(parts: 2, stateStore: MemoryStateStore()) { test in
                let directory = TestDirectory()
                test.setDirectory(directory)
                let actor = TestMesh.Restartable(retries: 1)
                let location = try await test.begin(actor, life: 1, in: 1) {
                    try Tally(.init(key: "k"), actorSystem: $0)
                }
                for expected in 1...3 {
                    let tally = try test.handle(Tally.self, to: actor, at: location)
                    #expect(try await tally.add(1) == expected)
                }
            }
        }
    }
}
