import ActorMesh
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// C8: a handle can be an argument, a result, a field of a task, and inside a collection.
    @Suite("C8: handles are values") struct Handles {
        @Test("as an argument, as a result and inside collections, a handle reaches the same actor")
        func everywhere() async throws {
            try await withFixtures { mesh in
                let board = try await mesh.spawn(Switchboard.self)
                let one = try await mesh.spawn(Blocker.self)
                let two = try await mesh.spawn(Blocker.self, options: .init(placement: .shared))
                try await board.connect("one", one)
                try await board.connectAll(["two": two, "board's own": one])
                #expect(try await board.ring("one") == 1)
                #expect(try await one.count() == 2)
                #expect(try await board.ring("board's own") == 3)
                #expect(try await board.ring("two") == 1)

                let back = try #require(try await board.line("two"))
                #expect(back.id == two.id)
                #expect(try await back.count() == 2)
                #expect(try await board.line("three") == nil)
                let all = try await board.all()
                #expect(all.map(\.name) == ["board's own", "one", "two"])
                #expect(all.map(\.actor.id) == [one.id, one.id, two.id])
                #expect(try await all[1].actor.count() == 4)
            }
        }

        @Test("a task holds a handle in a field and gives one back")
        func tasks() async throws {
            try await withFixtures { mesh in
                let blocker = try await mesh.spawn(Blocker.self)
                #expect(try await blocker.count() == 1)
                let line = try await mesh.submit(RingTask(actor: blocker)).value
                #expect(line.name == "call 2")
                #expect(line.actor.id == blocker.id)
                #expect(try await line.actor.count() == 3)
            }
        }

        @Test("all handles to an actor share one order and one window")
        func oneReference() async throws {
            try await withFixtures { mesh in
                let ledger = try await mesh.spawn(Ledger.self, options: .init(name: "ledger"))
                let found = try await mesh.find(Ledger.self, named: "ledger")
                #expect(found.id == ledger.id)
                var refs: [ObjectRef<Int>] = []
                for number in 0..<1000 {
                    refs.append(
                        try await mesh.submit {
                            try await (number % 2 == 0 ? ledger : found).append("driver", number)
                        })
                }
                #expect(try await mesh.get(refs) == Array(1...1000))
                #expect(try await ledger.history().reordered.prefix(5) == [])

                // A call by one of them fills the window of the other.
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let blocker = try await mesh.spawn(Blocker.self, options: .init(name: "blocker", maxPendingCalls: 1))
                let same = try await mesh.find(Blocker.self, named: "blocker")
                let held = try await mesh.submit { try await blocker.hold(witness, "held") }
                let refused = await codeThrown {
                    try await mesh.tell(backPressure: .failFast) { _ = try await same.count() }
                }
                #expect(refused == .tooManyPendingCalls)
                try await witness.reach("go")
                _ = try await held.value
                #expect(try await same.count() == 1)
            }
        }

        @Test("a handle that has travelled keeps its name and its window")
        func travelled() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let relay = try await mesh.spawn(Relay.self)
                let blocker = try await mesh.spawn(Blocker.self, options: .init(name: "blocker", maxPendingCalls: 2))
                let held = try await mesh.submit { try await blocker.hold(witness, "held") }
                try await witness.wait(for: "held", count: 1)
                // The relay has a window of its own, of the same size.
                let refusal = try await relay.tellUntilRefused(blocker)
                #expect(refusal.hasPrefix("2 accepted, "), "\(refusal)")
                #expect(refusal.contains("2 calls to Blocker \"blocker\""), "\(refusal)")
                try await witness.reach("go")
                _ = try await held.value
            }
        }

        @Test("a protocol's stub reaches an actor whose type the caller need not know")
        func resolvable() async throws {
            try await withFixtures { mesh in
                let polite = try await mesh.spawn(PoliteGreeter.self)
                let greeter = try $Greeter.resolve(id: polite.id, using: mesh)
                #expect(try await greeter.greet("Ada") == "Good morning, Ada.")
                #expect(try await greeter.greetOrRefuse("Ada") == "Good evening, Ada.")
                await #expect(throws: Refusal.closed) { try await greeter.greetOrRefuse(nil) }
            }
        }
    }
}
