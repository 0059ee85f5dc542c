import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// L2: a name is unique in its namespace, and free again once its actor has ended.
    @Suite("L2: names") struct Names {
        @Test("of ten who spawn one name at the same time one wins, and the others hear why")
        func race() async throws {
            try await withFixtures { mesh in
                let codes = await withTaskGroup(of: MeshError.Code?.self) { group in
                    for _ in 0..<10 {
                        group.addTask {
                            await codeThrown {
                                try await mesh.spawn(Blocker.self, options: .init(name: "one", placement: .shared))
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(codes.count { $0 == nil } == 1)
                #expect(codes.count { $0 == .nameTaken } == 9)
                let actors = try await mesh.actors()
                #expect(actors.count == 1)
            }
        }

        @Test("ten who find or spawn one name at the same time get the same actor")
        func findOrSpawn() async throws {
            try await withFixtures { mesh in
                let actors = try await withThrowingTaskGroup(of: Blocker.self) { group in
                    for _ in 0..<10 {
                        group.addTask { try await mesh.findOrSpawn(Blocker.self, options: .init(name: "one")) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(actors.map(\.id)).count == 1)
                for (index, actor) in actors.enumerated() { #expect(try await actor.count() == index + 1) }
                #expect(try await mesh.actors().count == 1)
            }
        }

        @Test("one whose initialiser fails leaves the name to the next one who asks")
        func findOrSpawnAfterFailure() async throws {
            try await withFixtures { mesh in
                await #expect(throws: Refusal.self) {
                    try await mesh.findOrSpawn(Moody.self, .init(mood: .refuses), options: .init(name: "moody"))
                }
                let moody = try await mesh.findOrSpawn(Moody.self, .init(mood: .good), options: .init(name: "moody"))
                #expect(try await moody.act(.good) == "fine")
            }
        }

        @Test("a name is free again after kill, after a crash and after a failed initialiser")
        func freeAgain() async throws {
            try await withFixtures { mesh in
                let options = ActorOptions(name: "reused")
                let first = try await mesh.spawn(Blocker.self, options: options)
                #expect(await codeThrown { try await mesh.spawn(Blocker.self, options: options) } == .nameTaken)
                try await mesh.kill(first)
                #expect(await codeThrown { try await mesh.find(Blocker.self, named: "reused") } == .actorNotFound)

                let second = try await mesh.spawn(Blocker.self, options: options)
                #expect(second.id != first.id)
                #expect(await codeThrown { try await second.crash() } == .actorDied)
                // The node's report is on its way to the broker when the caller knows already.
                try await poll {
                    await codeThrown { try await mesh.find(Blocker.self, named: "reused") } == .actorNotFound
                }

                await #expect(throws: Refusal.self) {
                    try await mesh.spawn(Moody.self, .init(mood: .refuses), options: options)
                }
                #expect(
                    await codeThrown { try await mesh.spawn(Moody.self, .init(mood: .crashes), options: options) }
                        == .actorDied)
                let third = try await mesh.spawn(Blocker.self, options: options)
                #expect(try await third.count() == 1)
            }
        }

        @Test("the same name in two namespaces names two actors")
        func namespaces() async throws {
            try await withFixtures { mesh in
                let one = try await mesh.spawn(Blocker.self, options: .init(name: "same", placement: .shared))
                let other = try await mesh.spawn(
                    Blocker.self, options: .init(name: "same", namespace: "other", placement: .shared))
                #expect(try await mesh.find(Blocker.self, named: "same").id == one.id)
                #expect(try await mesh.find(Blocker.self, named: "same", namespace: "other").id == other.id)
                #expect(
                    await codeThrown { try await mesh.find(Blocker.self, named: "same", namespace: "third") }
                        == .actorNotFound)
            }
        }

        @Test("a name that is found as another type is refused")
        func otherType() async throws {
            try await withFixtures { mesh in
                _ = try await mesh.spawn(Blocker.self, options: .init(name: "blocker"))
                let error = await #expect(throws: MeshError.self) { try await mesh.find(Ledger.self, named: "blocker") }
                #expect(error?.code == .typeNotFound)
                #expect(error?.message.contains("MeshFixtures.Blocker") == true)
                #expect(error?.message.contains("MeshFixtures.Ledger") == true)
            }
        }
    }
}
