import ActorMesh
import FoundationEssentials
import MeshFixtures
import MeshTesting
import Testing

extension Integration {
    @Suite("Arguments and results", .timeLimit(.minutes(10)))
    struct ValuesTests {
        @Test("values of every shape come back as they went", arguments: TestMesh.Form.allCases, [0, 1])
        func shapes(form: TestMesh.Form, viewer: Int) async throws {
            // Seen from part 1 the actor lives in the caller's own part, and is reached through its mailbox all the same.
            try await withTestMesh(form) { test in
                let echo = try await test.host(seenFrom: viewer) { Echo(actorSystem: $0) }
                try await echo.nothing()
                #expect(try await echo.count() == 1)
                for text in ["", "a", "Grüße, 世界 🌍", String(repeating: "é", count: 40_000)] {
                    #expect(try await echo.text(text) == text)
                }
                #expect(try await echo.optional(nil) == nil)
                #expect(try await echo.optional("x") == "x")
                let several = try await echo.several(.min, ["a": [1, 2], "": []], nil, Data([0, 255]))
                #expect(several == Echo.Several(a: .min, b: ["a": [1, 2], "": []], c: nil, d: Data([0, 255])))
                #expect(try await echo.keyed([1: ["a"], -7: []]) == [1: ["a"], -7: []])
            }
        }

        @Test("generic methods get the caller's types", arguments: TestMesh.Form.allCases)
        func generics(form: TestMesh.Form) async throws {
            try await withTestMesh(form) { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                #expect(try await echo.generic(5) == 5)
                #expect(try await echo.generic(["a": [Double?.none, 2.5]]) == ["a": [nil, 2.5]])
                #expect(try await echo.generic(Echo.Pair(first: 1, second: "b")).second == "b")
                let pair = try await echo.pair([1, 2], Data(count: 70_000))
                #expect(pair.first == [1, 2])
                #expect(pair.second.count == 70_000)
                await #expect(throws: Refusal.closed) { try await echo.refuseGeneric("x") }
            }
        }

        @Test("large data travels beside the message, in any number and order", arguments: TestMesh.Form.allCases)
        func attachments(form: TestMesh.Form) async throws {
            try await withTestMesh(form) { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                // Around the size from which data travels in a frame of its own.
                for count in [0, 1, 65_535, 65_536, 65_537, 5_000_000] {
                    let data = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
                    #expect(try await echo.data(data) == data)
                }
                let pieces = [100_000, 3, 65_536, 0, 200_000].map { Data(repeating: UInt8($0 % 251), count: $0) }
                #expect(try await echo.reversed(pieces) == pieces.reversed())
                // Many at the same time keep apart.
                let refs = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<20 {
                        group.addTask {
                            let data = Data(repeating: UInt8(number), count: 70_000 + number)
                            return try await echo.data(data) == data
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(refs.allSatisfy { $0 })
            }
        }

        @Test("a handle is the same actor wherever it comes from", arguments: TestMesh.Form.allCases)
        func handles(form: TestMesh.Form) async throws {
            try await withTestMesh(form, parts: 3) { test in
                let board = try await test.host(in: 1) { Switchboard(actorSystem: $0) }
                let far = try await test.host(in: 2) { Blocker(actorSystem: $0) }
                let own = try await test.host(in: 0) { Blocker(actorSystem: $0) }
                try await board.connect("far", far)
                try await board.connectAll(["own": own])
                #expect(try await board.ring("far") == 1)
                #expect(try await far.count() == 2)
                // The call comes back to this part, whose actor it is.
                #expect(try await board.ring("own") == 1)
                let all = try await board.all()
                #expect(all.map(\.actor.id) == [far.id, own.id])
                #expect(try await all[1].actor.count() == 2)
                #expect(try await board.line("nobody") == nil)
            }
        }

        @Test("a protocol's stub calls an actor by what it promises", arguments: TestMesh.Form.allCases)
        func resolvable(form: TestMesh.Form) async throws {
            try await withTestMesh(form) { test in
                let polite = try await test.host { PoliteGreeter(actorSystem: $0) }
                let greeter = try $Greeter.resolve(id: polite.id, using: test.meshes[0])
                #expect(try await greeter.greet("Ada") == "Good morning, Ada.")
                await #expect(throws: Refusal.closed) { try await greeter.greetOrRefuse(nil) }
            }
        }
    }
}
