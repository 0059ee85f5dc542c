import ActorMesh
import MeshCore
import MeshFixtures
import MeshRuntime
import MeshTesting
import Testing

extension Integration {
    @Suite("Calls across restarts", .timeLimit(.minutes(10)))
    struct RestartTests {
        /// A ledger in part 1 whose process the test ends, seen from part 0; part 2 is where it may live next.
        private struct Scene {
            var test: TestMesh
            var directory = TestDirectory()
            var actor: TestMesh.Restartable
            var ledger: Ledger
            var first: ActorLocation

            init(_ test: TestMesh, retries: Limit, mayRestart: Bool = true, window: Int = 2000) async throws {
                self.test = test
                test.setDirectory(self.directory)
                self.actor = TestMesh.Restartable(retries: retries, mayRestart: mayRestart, window: window)
                self.first = try await test.begin(self.actor, life: 1, in: 1) { Ledger(actorSystem: $0) }
                self.ledger = try test.handle(Ledger.self, to: self.actor, at: self.first)
            }

            func submit(_ numbers: Range<Int>) async throws -> [ObjectRef<Int>] {
                var refs: [ObjectRef<Int>] = []
                for number in numbers {
                    refs.append(try await self.test.meshes[0].submit { try await self.ledger.append("caller", number) })
                }
                return refs
            }

            /// Begins another life in part 2, and tells the directory.
            func restart(life: UInt64 = 2) async throws {
                let location = try await self.test.begin(self.actor, life: life, in: 2) { Ledger(actorSystem: $0) }
                self.directory.set(self.actor.id, at: location)
            }

            func numbers() async throws -> [Int] { try await self.ledger.history().entries.map(\.number) }
        }

        @Test("a thousand pipelined calls keep their order across the restart, before those made meanwhile")
        func order() async throws {
            try await withTestMesh(parts: 3) { test in
                let scene = try await Scene(test, retries: 1)
                #expect(try await test.meshes[0].get(try await scene.submit(0..<100)) == Array(1...100))
                test.cut(0, 1)
                let outstanding = try await scene.submit(100..<1100)
                test.lose(1)
                try await scene.directory.wait(forQuestions: 1)
                let meanwhile = try await scene.submit(1100..<1300)
                try await scene.restart()
                let later = try await scene.submit(1300..<1400)
                #expect(try await test.meshes[0].get(outstanding + meanwhile + later) == Array(1...1300))
                #expect(try await scene.numbers() == Array(100..<1400))
                #expect(scene.directory.questions.count == 1)
                #expect(scene.directory.questions.first?.hasEnded == true)
            }
        }

        @Test("a process that dies in the midst of its work loses nothing and repeats only what was not answered")
        func midst() async throws {
            try await withTestMesh(parts: 3) { test in
                let scene = try await Scene(test, retries: 1)
                let refs = try await scene.submit(0..<1000)
                _ = try await refs[300].value
                test.lose(1)
                try await scene.restart()
                _ = try await test.meshes[0].get(refs)
                let numbers = try await scene.numbers()
                #expect(numbers == Array((numbers.first ?? 0)..<1000))
                #expect((numbers.first ?? 0) >= 301)
            }
        }

        @Test(
            "without retries what was sent fails at once as unavailable and never runs again; what was not sent waits")
        func atMostOnce() async throws {
            try await withTestMesh(parts: 3) { test in
                let scene = try await Scene(test, retries: 0)
                test.cut(0, 1)
                let sent = try await scene.submit(0..<10)
                test.lose(1)
                for ref in sent { #expect(await codeThrown { try await ref.value } == .actorUnavailable) }
                let waiting = try await scene.submit(10..<20)
                try await scene.restart()
                #expect(try await test.meshes[0].get(waiting) == Array(1...10))
                #expect(try await scene.numbers() == Array(10..<20))
            }
        }

        @Test("an actor that is not started again has died at once")
        func noRestart() async throws {
            try await withTestMesh(parts: 3) { test in
                let scene = try await Scene(test, retries: 0, mayRestart: false)
                test.cut(0, 1)
                let sent = try await scene.submit(0..<3)
                test.lose(1)
                for ref in sent { #expect(await codeThrown { try await ref.value } == .actorDied) }
                #expect(await codeThrown { try await scene.ledger.append("caller", 4) } == .actorDied)
                #expect(scene.directory.questions == [])
            }
        }

        @Test("each death that a call may have run in uses up a retry, waiting uses up none")
        func retriesUsedUp() async throws {
            try await withTestMesh(parts: 4) { test in
                let scene = try await Scene(test, retries: 1)
                test.cut(0, 1)
                let early = try await scene.submit(0..<5)
                test.lose(1)
                let late = try await scene.submit(5..<10)
                test.cut(0, 2)
                try await scene.restart()
                // All are on their way to life 2, the early ones for the second time.
                try await scene.directory.wait(forQuestions: 1)
                #expect(try await poll { scene.ledger.id.reference.location.incarnation == 2 })
                test.lose(2)
                for ref in early { #expect(await codeThrown { try await ref.value } == .actorUnavailable) }
                let third = try await test.begin(scene.actor, life: 3, in: 3) { Ledger(actorSystem: $0) }
                scene.directory.set(scene.actor.id, at: third)
                #expect(try await test.meshes[0].get(late) == Array(1...5))
                #expect(try await scene.numbers() == Array(5..<10))
            }
        }

        @Test("when the actor turns out to have ended, those who wait learn why")
        func endedMeanwhile() async throws {
            try await withTestMesh(parts: 3) { test in
                let scene = try await Scene(test, retries: .unlimited)
                test.cut(0, 1)
                let sent = try await scene.submit(0..<3)
                test.lose(1)
                let waiting = try await scene.submit(3..<6)
                scene.directory.end(scene.actor.id, because: MeshError(.actorDied, "It was restarted too often."))
                for ref in sent + waiting {
                    let error = await #expect(throws: MeshError.self) { try await ref.value }
                    #expect(error?.code == .actorDied)
                    #expect(error?.message.contains("restarted too often") == true)
                }
                #expect(await codeThrown { try await scene.ledger.append("caller", 7) } == .actorDied)
            }
        }

        @Test("cancellation and deadlines end a call that waits for its actor")
        func givenUp() async throws {
            try await withTestMesh(parts: 3) { test in
                let scene = try await Scene(test, retries: 1)
                test.cut(0, 1)
                let sent = try await scene.submit(0..<1)
                test.lose(1)
                let ledger = scene.ledger
                let cancelled = Task { try await ledger.append("caller", 1) }
                let timed = Task {
                    try await test.meshes[0].withDeadline(.milliseconds(50)) { try await ledger.append("caller", 2) }
                }
                try await scene.directory.wait(forQuestions: 1)
                cancelled.cancel()
                #expect(await codeThrown { try await cancelled.value } == .cancelled)
                #expect(await codeThrown { try await timed.value } == .deadlineExceeded)
                test.meshes[0].cancel(sent[0])
                #expect(await codeThrown { try await sent[0].value } == .cancelled)
                let last = try await scene.submit(3..<4)
                try await scene.restart()
                #expect(try await test.meshes[0].get(last) == [1])
                #expect(try await scene.numbers() == [3])
            }
        }

        @Test("the window holds for calls that wait for their actor too")
        func window() async throws {
            try await withTestMesh(parts: 3, settings: MeshSettings(backPressure: .failFast)) { test in
                let scene = try await Scene(test, retries: 0, window: 4)
                test.lose(1)
                let waiting = try await scene.submit(0..<4)
                #expect(await codeThrown { try await scene.ledger.append("caller", 4) } == .tooManyPendingCalls)
                try await scene.restart()
                #expect(try await test.meshes[0].get(waiting) == Array(1...4))
                #expect(try await scene.ledger.append("caller", 5) == 5)
            }
        }

        @Test(
            "one-way messages made while the actor is away wait in their place; the window neither leaks nor overflows")
        func tells() async throws {
            try await withTestMesh(parts: 3) { test in
                let scene = try await Scene(test, retries: 1, window: 8)
                let mesh = test.meshes[0]
                for number in 0..<20 { try await mesh.tell { _ = try await scene.ledger.append("caller", number) } }
                _ = try await scene.ledger.history()
                test.cut(0, 1)
                // These are lost with the process.
                for number in 20..<25 { try await mesh.tell { _ = try await scene.ledger.append("caller", number) } }
                test.lose(1)
                for number in 25..<33 { try await mesh.tell { _ = try await scene.ledger.append("caller", number) } }
                try await scene.restart()
                for number in 33..<200 { try await mesh.tell { _ = try await scene.ledger.append("caller", number) } }
                #expect(try await scene.numbers() == Array(25..<200))
            }
        }

        @Test(
            "what reaches a process where the actor is no more goes to its next life, in order and without using retries"
        )
        func refused() async throws {
            try await withTestMesh(parts: 3) { test in
                let scene = try await Scene(test, retries: 0)
                #expect(try await scene.ledger.append("caller", 0) == 1)
                // The process lives on, the actor does not.
                test.meshes[1].endActor(scene.actor.id, because: MeshError(.actorDied, "It was ended."))
                let refs = try await scene.submit(1..<500)
                try await scene.directory.wait(forQuestions: 1)
                try await scene.restart()
                #expect(try await test.meshes[0].get(refs + (try await scene.submit(500..<600))) == Array(1...599))
                #expect(try await scene.numbers() == Array(1..<600))
            }
        }

        @Test("the next life may be in the same process, and gets nothing that was meant for the one before")
        func sameProcess() async throws {
            try await withTestMesh(parts: 2) { test in
                let scene = try await Scene(test, retries: 0)
                let ledger = scene.ledger
                let submitting = Task { try await scene.submit(0..<1000) }
                _ = try await ledger.history()
                test.meshes[1].endActor(scene.actor.id, because: MeshError(.actorDied, "It was ended."))
                let second = try await test.begin(scene.actor, life: 2, in: 1) { Ledger(actorSystem: $0) }
                scene.directory.set(scene.actor.id, at: second)
                // A call that ran in the first life may have failed; no other may.
                let refs = try await submitting.value
                var failures = 0
                for ref in refs { if await codeThrown(by: { try await ref.value }) != nil { failures += 1 } }
                #expect(failures <= 1)
                let numbers = try await scene.numbers()
                #expect(numbers == Array((numbers.first ?? 1000)..<1000))
            }
        }

        @Test("a handle that knows of a newer life ends the waiting")
        func newerHandle() async throws {
            try await withTestMesh(parts: 3) { test in
                let scene = try await Scene(test, retries: 1)
                test.cut(0, 1)
                let sent = try await scene.submit(0..<10)
                test.lose(1)
                try await scene.directory.wait(forQuestions: 1)
                let second = try await test.begin(scene.actor, life: 2, in: 2) { Ledger(actorSystem: $0) }
                _ = try test.handle(Ledger.self, to: scene.actor, at: second)
                #expect(try await test.meshes[0].get(sent) == Array(1...10))
                try await scene.directory.wait(forCancellations: 1)
            }
        }

        @Test("nobody asks for an actor to which no handle is left")
        func dropped() async throws {
            try await withTestMesh(parts: 3) { test in
                let directory = TestDirectory()
                test.setDirectory(directory)
                let actor = TestMesh.Restartable()
                let first = try await test.begin(actor, life: 1, in: 1) { Ledger(actorSystem: $0) }
                func call() async throws {
                    let ledger = try test.handle(Ledger.self, to: actor, at: first)
                    test.lose(1)
                    let waiting = Task { try await ledger.append("caller", 0) }
                    try await directory.wait(forQuestions: 1)
                    waiting.cancel()
                    #expect(await codeThrown { try await waiting.value } == .cancelled)
                }
                try await call()
                try await directory.wait(forCancellations: 1)
            }
        }
    }
}
