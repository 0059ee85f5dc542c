import ActorMesh
import Distributed
import MeshCore
import MeshFixtures
import MeshRuntime
import MeshTesting
import Testing

/// Gives handles as a broker does: the caller has been counted before it gets them.
distributed actor Desk: RemoteActor {
    private var fields: HandleFields?
    private var broker: RecordingBroker?
    private var checkpoints: Checkpoints?

    init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    func prepare(_ fields: HandleFields, _ broker: RecordingBroker, _ checkpoints: Checkpoints) {
        (self.fields, self.broker, self.checkpoints) = (fields, broker, checkpoints)
    }

    distributed func find(waiting: Bool) async throws -> GrantedHandle? {
        guard let fields, let broker, let checkpoints else { return nil }
        if waiting {
            checkpoints.reach("asked")
            try? await Task { try await checkpoints.wait(for: "answer") }.value
        }
        let caller = CallOrigin.current?.peer ?? self.actorSystem.address.peer
        if !fields.isWeak { broker.grant(fields.id, to: caller) }
        return GrantedHandle(fields)
    }
}

extension Integration {
    @Suite("Handles that the broker gives (L1)", .timeLimit(.minutes(10)))
    struct GrantedHandlesTests {
        private struct Scene: Sendable {
            var desk: Desk
            var fields: HandleFields
            var checkpoints = Checkpoints()
        }

        /// A desk in one part that gives handles to an actor in the last, which nobody holds yet.
        private func makeScene(
            _ test: TestMesh, _ broker: RecordingBroker, in part: Int = 1, isWeak: Bool = false
        ) async throws -> Scene {
            let last = test.meshes[2]
            let id = try await last.birth(
                Keeper.self, id: .make(), name: nil, incarnation: 1, maxConcurrency: 1
            ) { Keeper(actorSystem: $0) }
            let fields = HandleFields(id.reference, isWeak: isWeak)
            let checkpoints = Checkpoints()
            let desk = try await test.host(in: part) { mesh in
                let desk = Desk(actorSystem: mesh)
                await desk.whenLocal { $0.prepare(fields, broker, checkpoints) }
                return desk
            }
            await broker.wait(for: desk.id.uniqueID, heldBy: test.peers(0))
            return Scene(desk: desk, fields: fields, checkpoints: checkpoints)
        }

        @Test("one that is used needs no report, and is given back with its grant", arguments: [0, 1])
        func used(part: Int) async throws {
            try await withCountedMesh { test, broker in
                let scene = try await self.makeScene(test, broker, in: part)
                let id = scene.fields.id
                do {
                    let answers = [
                        try await scene.desk.find(waiting: false), try await scene.desk.find(waiting: false),
                    ]
                    let actors = try answers.map { try test.meshes[0].handle(Keeper.self, try #require($0), asked: 0) }
                    #expect(try await actors[1].count() == 0)
                    #expect(broker.grants(of: id, to: test.meshes[0].address.peer) == 2)
                }
                await broker.wait(for: id, heldBy: [])
                #expect(broker.timesUnheld(id) == 1)
                #expect(broker.excess == 0)
            }
        }

        @Test("one that was given in the same process, without a message, counts too")
        func direct() async throws {
            try await withCountedMesh { test, broker in
                let scene = try await self.makeScene(test, broker)
                broker.grant(scene.fields.id, to: test.meshes[0].address.peer)
                do {
                    let actor = try test.meshes[0].handle(Keeper.self, GrantedHandle(scene.fields), asked: 0)
                    #expect(try await actor.count() == 0)
                }
                await broker.wait(for: scene.fields.id, heldBy: [])
                #expect(broker.excess == 0)
            }
        }

        @Test("one whose caller has given up is given back", arguments: [0, 1])
        func late(part: Int) async throws {
            try await withCountedMesh { test, broker in
                let scene = try await self.makeScene(test, broker, in: part)
                let mesh = test.meshes[0]
                // On a busy machine the time may be over before the question has left.
                while scene.checkpoints.count(of: "asked") == 0 {
                    let code = await codeThrown {
                        try await mesh.withDeadline(.milliseconds(100)) { try await scene.desk.find(waiting: true) }
                    }
                    #expect(code == .deadlineExceeded)
                }
                scene.checkpoints.reach("answer")
                await broker.wait(unheld: scene.fields.id)
                #expect(broker.excess == 0)
            }
        }

        @Test("one whose grant a complete report has wiped out is told of again", arguments: [false, true])
        func wipedOut(grantedLate: Bool) async throws {
            try await withCountedMesh { test, broker in
                let scene = try await self.makeScene(test, broker)
                let (mesh, id) = (test.meshes[0], scene.fields.id)
                let asked = mesh.holdsReported
                if !grantedLate { broker.grant(id, to: mesh.address.peer) }
                let reports = broker.reports(of: mesh.address.peer)
                mesh.reportAllHolds()
                await broker.wait(for: mesh.address.peer, reports: reports + 1)
                #expect(broker.holders(of: id) == [])
                if grantedLate { broker.grant(id, to: mesh.address.peer) }
                do {
                    let actor = try mesh.handle(Keeper.self, GrantedHandle(scene.fields), asked: asked)
                    await broker.wait(for: mesh.address.peer, reports: reports + 2)
                    #expect(broker.grants(of: id, to: mesh.address.peer) == 1)
                    #expect(try await actor.count() == 0)
                }
                await broker.wait(for: id, heldBy: [])
                #expect(broker.excess == 0)
            }
        }

        @Test("a weak one grants nothing")
        func weak() async throws {
            try await withCountedMesh { test, broker in
                let scene = try await self.makeScene(test, broker, isWeak: true)
                let answer = try await scene.desk.find(waiting: false)
                let actor = try test.meshes[0].handle(Keeper.self, try #require(answer), asked: 0)
                #expect(try await actor.count() == 0)
                #expect(broker.holders(of: scene.fields.id) == [])
                #expect(test.meshes[0].leases.count == 1)
            }
        }
    }
}
