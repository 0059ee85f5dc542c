import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes {
    /// L6: an actor's children; strategies one-for-one, one-for-all, rest-for-one; intensity and back-off.
    @Suite("L6: supervision") struct L6Supervision {
        /// A supervisor with the children a, b and c, each of which has a child.
        private struct Scene: Sendable {
            let mesh: Mesh
            let witness: Witness
            let warden: Warden
            let children: [Branch]

            init(
                _ mesh: Mesh, _ supervision: Supervision, decision: Supervision.Decision? = .restart,
                maxRestarts: Limit = 0
            ) async throws {
                self.mesh = mesh
                self.witness = try await mesh.spawn(Witness.self, options: Witness.options)
                self.warden = try await mesh.spawn(
                    Warden.self, .init(["a", "b", "c"], self.witness, decision: decision),
                    options: .init(name: "warden", maxRestarts: maxRestarts, supervision: supervision))
                self.children = try await self.warden.family()
            }

            func lives() async throws -> [UInt64] {
                var lives: [UInt64] = []
                for child in self.children { lives.append(try await child.life()) }
                return lives
            }

            /// Kills a child's process and waits until the broker knows.
            func crash(_ name: String) async throws {
                let info = try #require(try await self.mesh.info(name))
                kill(info.processID, SIGKILL)
                try await poll {
                    let now = try await self.mesh.info(name)
                    return now == nil || now?.incarnation != info.incarnation || now?.id != info.id
                }
            }
        }

        @Test(
            "the strategy says which children start again, in the order of their making",
            arguments: zip(
                [Supervision.Strategy.oneForOne, .oneForAll, .restForOne],
                [[1, 2, 1], [2, 2, 2], [1, 2, 2]] as [[UInt64]]))
        func strategies(strategy: Supervision.Strategy, lives: [UInt64]) async throws {
            try await withFixtures { mesh in
                let scene = try await Scene(mesh, Supervision(strategy: strategy))
                let grandchildren = try await scene.children.asyncMap { try await $0.family()[0] }
                try await scene.crash("b")
                // A sibling may be asked just before it ends.
                try await poll { (try? await scene.lives()) == lives }
                #expect(try await scene.warden.life() == 1)
                let again = try await scene.witness.log().filter { $0.hasSuffix("started 2") }
                #expect(again == zip(["a", "b", "c"], lives).filter { $1 == 2 }.map { "\($0.0) started 2" })
                // Names and handles are theirs; what their earlier lives had made is gone.
                for (child, name) in zip(scene.children, ["a", "b", "c"]) {
                    #expect(try await mesh.find(Branch.self, named: name).id == child.id)
                }
                for (grandchild, life) in zip(grandchildren, lives) {
                    if life == 1 {
                        #expect(try await grandchild.life() == 1)
                    } else {
                        #expect(try await mesh.terminated(grandchild).cause == .ownerDied)
                    }
                }
                #expect(try await scene.warden.asked().map(\.name) == ["b"])
                #expect(try await scene.warden.asked().map(\.cause) == [.processCrashed])
            }
        }

        @Test("more deaths than are borne: the supervisor gives up, and its children end with it")
        func intensity() async throws {
            try await withFixtures { mesh in
                let scene = try await Scene(
                    mesh,
                    Supervision(maxRestarts: 2, within: .seconds(100), backoff: Backoff(initial: .milliseconds(1))))
                for life in 1...2 {
                    try await scene.crash("b")
                    try await poll { (try? await scene.children[1].life()) == UInt64(life + 1) }
                }
                try await scene.crash("b")
                let termination = try await mesh.terminated(scene.warden)
                #expect(termination.cause == .restartsExhausted, "\(termination)")
                #expect(termination.message.contains("more than 2 times"), "\(termination)")
                for child in scene.children {
                    let end = try await mesh.terminated(child)
                    #expect(end.cause == .ownerDied || end.name == "b", "\(end)")
                }
                #expect(await codeThrown { try await scene.warden.life() } == .actorDied)
                try await poll { try await mesh.actors().count == 1 }
            }
        }

        @Test("a supervisor that gave up and may be restarted begins anew, with new children")
        func restartedSupervisor() async throws {
            try await withFixtures { mesh in
                let scene = try await Scene(mesh, Supervision(maxRestarts: 0), maxRestarts: 1)
                try await scene.crash("b")
                try await poll { (try? await scene.warden.life()) == 2 }
                let fresh = try await scene.warden.family()
                #expect(Set(fresh.map(\.id)).isDisjoint(with: scene.children.map(\.id)))
                for child in fresh { #expect(try await child.life() == 1) }
                for child in scene.children { #expect(await codeThrown { try await child.life() } == .actorDied) }
            }
        }

        @Test("the hook decides to leave a child dead")
        func leaves() async throws {
            try await withFixtures { mesh in
                let scene = try await Scene(mesh, Supervision(strategy: .oneForAll), decision: .stop)
                try await scene.crash("b")
                let termination = try await mesh.terminated(scene.children[1])
                #expect(termination.cause == .processCrashed, "\(termination)")
                #expect(try await scene.children[0].life() == 1)
                #expect(try await scene.children[2].life() == 1)
            }
        }

        @Test("the hook decides to escalate: the parent of the supervisor decides about that, and up the tree")
        func escalates() async throws {
            try await withFixtures { mesh in
                let scene = try await Scene(mesh, Supervision(), decision: .escalate)
                try await scene.crash("c")
                let termination = try await mesh.terminated(scene.warden)
                #expect(termination.cause == .restartsExhausted, "\(termination)")
                #expect(termination.message.contains("escalated"), "\(termination)")
                #expect(try await mesh.terminated(scene.children[0]).cause == .ownerDied)
            }
        }

        @Test("a child that is killed, exits or is stopped on purpose is not restarted, and nobody is asked")
        func onPurpose() async throws {
            try await withFixtures { mesh in
                let scene = try await Scene(mesh, Supervision(strategy: .oneForAll))
                try await mesh.kill(scene.children[0])
                #expect(await codeThrown { try await scene.children[1].exit() } == .actorDied)
                #expect(try await mesh.terminated(scene.children[1]).cause == .exited)
                try await mesh.stop(scene.children[2])
                #expect(try await scene.warden.asked() == [])
                #expect(try await scene.warden.life() == 1)
                for child in scene.children { #expect(await codeThrown { try await child.life() } == .actorDied) }
            }
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
