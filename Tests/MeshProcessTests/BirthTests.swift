import ActorMesh
import MeshFixtures
import Testing

extension Processes {
    /// An initialiser may hand out its actor, which may be called before it is ready.
    @Suite struct Births {
        @Test(
            "calls to an actor that is being made run when it is, first and in order",
            arguments: [0, 3] as [Limit])
        func early(maxRestarts: Limit) async throws {
            try await withFixtures { mesh in
                let godparent = try await mesh.spawn(Godparent.self)
                let newborn = try await mesh.spawn(
                    Newborn.self, .init(godparent, .submit), options: .init(maxRestarts: maxRestarts))
                #expect(try await newborn.note(4) == [0, 1, 2, 3, 4])
                #expect(try await godparent.outcomes() == [[0, 1], [0, 1, 2], [0, 1, 2, 3]])
            }
        }

        @Test("an initialiser that waits for a call to its own actor is told so")
        func circle() async throws {
            try await withFixtures { mesh in
                let godparent = try await mesh.spawn(Godparent.self)
                let code = await codeThrown { try await mesh.spawn(Newborn.self, .init(godparent, .await)) }
                #expect(code == .deadlock)
            }
        }

        @Test("calls to an actor whose initialiser fails have not run")
        func failing() async throws {
            try await withFixtures { mesh in
                let godparent = try await mesh.spawn(Godparent.self)
                await #expect(throws: Refusal.self) {
                    _ = try await mesh.spawn(Newborn.self, .init(godparent, .submit, fails: true))
                }
                #expect(await codeThrown { try await godparent.outcomes() } == .actorDied)
            }
        }
    }
}
