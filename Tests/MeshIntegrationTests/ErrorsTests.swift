import ActorMesh
import Distributed
import MeshFixtures
import MeshTesting
import Testing

extension Integration {
    @Suite("Errors", .timeLimit(.minutes(10)))
    struct ErrorsTests {
        @Test(
            "an error that can travel arrives as itself, another as its description", arguments: TestMesh.Form.allCases)
        func thrown(form: TestMesh.Form) async throws {
            try await withTestMesh(form) { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                await #expect(throws: Refusal.insufficient(missing: 7)) { try await echo.refuse() }
                let error = await #expect(throws: RemoteCallError.self) { try await echo.whim() }
                #expect(error?.typeName == "MeshFixtures.Whim")
                #expect(error?.reason.contains("no reason") == true)
                #expect(error?.method == "Echo.whim()")
                #expect(try await echo.count() == 0)
            }
        }

        @Test("a call of another version of the actor is refused with what does not fit, and the actor works on")
        func versions() async throws {
            try await withTestMesh { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                let text = RemoteCallTarget("$s12MeshFixtures4EchoC4textyS2SYaKFTE")

                let argument = await self.error { try await self.call(test, echo, text, [5], String.self) }
                #expect(argument?.code == .decodingFailed)
                #expect(
                    argument?.message.contains("Argument 1 of Echo.text") == true, "\(String(describing: argument))")

                let count = await self.error { try await self.call(test, echo, text, [String](), String.self) }
                #expect(count?.code == .decodingFailed)
                #expect(
                    count?.message.contains("takes 1 arguments, but 0 came") == true, "\(String(describing: count))")

                let result = await self.error { try await self.call(test, echo, text, ["x"], [Int].self) }
                #expect(result?.code == .decodingFailed)
                #expect(result?.message.contains("result of Echo.text") == true, "\(String(describing: result))")

                let method = RemoteCallTarget("$s12MeshFixtures4EchoC4songyS2SYaKFTE")
                let unknown = await self.error { try await self.call(test, echo, method, ["x"], String.self) }
                #expect(unknown?.code == .typeNotFound)
                #expect(unknown?.message.contains("Echo") == true, "\(String(describing: unknown))")

                // The name of another actor's method would run that method's code on this actor.
                let other = RemoteCallTarget("$s12MeshFixtures7BlockerC5countSiyYaKFTE")
                let foreign = await self.error { try await self.call(test, echo, other, [String](), Int.self) }
                #expect(foreign?.code == .typeNotFound)

                for name in ["", "x", "$s", "print", "$sSS", String(repeating: "$s12", count: 500)] {
                    let error = await self.error {
                        try await self.call(test, echo, RemoteCallTarget(name), ["x"], String.self)
                    }
                    #expect(error?.code == .typeNotFound, "\(name)")
                }
                #expect(try await echo.text("still") == "still")
            }
        }

        @Test(
            "a generic method takes no type that cannot be an argument",
            arguments: ["", "yyc", "ypXp", "$sSi", "4Nope"])
        func foreignTypes(name: String) async throws {
            try await withTestMesh { test in
                let echo = try await test.host { Echo(actorSystem: $0) }
                let target = RemoteCallTarget("$s12MeshFixtures4EchoC7genericyxxYaKSeRzSERzlFTE")
                let error = await self.error {
                    try await self.call(test, echo, target, [5], Int.self, substitutions: [name])
                }
                #expect(error?.code == .typeNotFound, "\(String(describing: error))")
                let fine = try await self.call(test, echo, target, [5], Int.self, substitutions: ["Si"])
                #expect(fine == 5)
            }
        }

        @Test("a call to an actor that has ended, or never was, says so")
        func ended() async throws {
            try await withTestMesh { test in
                let blocker = try await test.host { Blocker(actorSystem: $0) }
                #expect(try await blocker.count() == 1)
                test.meshes[1].endActor(blocker.id.uniqueID, because: MeshError(.actorDied, "It had enough."))
                let error = await self.error { try await blocker.count() }
                #expect(error?.code == .actorDied)
            }
        }

        @Test("an actor made by the program itself can be called while the program holds on to it")
        func unowned() async throws {
            try await withTestMesh { test in
                var local: Blocker? = Blocker(actorSystem: test.meshes[1])
                let handle = try test.handle(to: try #require(local), seenFrom: 0)
                #expect(try await handle.count() == 1)
                #expect(await local?.whenLocal { _ in true } == true)
                local = nil
                #expect(await codeThrown { try await handle.count() } == .actorDied)
            }
        }

        private func call<Result: Codable, Argument: Codable>(
            _ test: TestMesh, _ actor: Echo, _ target: RemoteCallTarget, _ arguments: [Argument], _ result: Result.Type,
            substitutions: [String] = []
        ) async throws -> Result {
            let mesh = test.meshes[0]
            var encoder = mesh.makeInvocationEncoder()
            encoder.genericSubstitutions = substitutions
            for argument in arguments {
                try encoder.recordArgument(RemoteCallArgument(label: nil, name: "", value: argument))
            }
            try encoder.doneRecording()
            return try await mesh.remoteCall(
                on: actor, target: target, invocation: &encoder, throwing: (any Error).self, returning: result)
        }

        private func error<Result>(_ body: () async throws -> Result) async -> MeshError? {
            do {
                _ = try await body()
                return nil
            } catch {
                return error as? MeshError
            }
        }
    }
}
