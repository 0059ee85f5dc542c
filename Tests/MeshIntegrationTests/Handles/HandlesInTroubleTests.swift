import ActorMesh
import MeshCore
import MeshFixtures
import MeshRuntime
import MeshTesting
import Synchronization
import Testing

extension Integration {
    @Suite("Handles that count, when something goes wrong (L1, C8)", .timeLimit(.minutes(10)))
    struct HandlesInTroubleTests {
        @Test("while the broker is away what was passed on stays held by who passed it on")
        func brokerAway() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await test.makeKeeper(broker)
                    id = actor.id.uniqueID
                    broker.goAway()
                    try await keeper.keep(actor)
                    // Not kept, so the receiver need not hold it: this one is answered all the same.
                    let stranger = try test.meshes[0].handle(Keeper.self, test.stranger())
                    _ = try await keeper.look(at: stranger)
                    #expect(try await poll { test.meshes[0].handlesInTransit == 1 })
                }
                #expect(test.meshes[0].leases.count == 2)
                broker.comeBack()
                await broker.wait(for: id, heldBy: test.peers(1))
                #expect(try await poll { test.meshes[0].handlesInTransit == 0 })
                #expect(broker.timesUnheld(id) == 0)
            }
        }

        @Test("a broker that has forgotten is told of everything")
        func brokerForgets() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let actor = try await test.makeKeeper(broker)
                let id = actor.id.uniqueID
                try await keeper.keep(actor)
                await broker.wait(for: id, heldBy: test.peers(0, 1))
                broker.goAway(forgetting: true)
                #expect(broker.holders(of: id) == [])
                broker.comeBack()
                for mesh in test.meshes { mesh.reportAllHolds() }
                await broker.wait(for: id, heldBy: test.peers(0, 1))
                await broker.wait(for: keeper.id.uniqueID, heldBy: test.peers(0))
                try await keeper.drop()
                await broker.wait(for: id, heldBy: test.peers(0))
                #expect(broker.excess == 0)
            }
        }

        @Test("of an actor that has ended the broker says so, and calls to it fail with its reason")
        func ended() async throws {
            try await withCountedMesh { test, broker in
                let fields = test.stranger()
                broker.end(fields.id, because: "It was killed an hour ago.")
                let actor = try test.meshes[0].handle(Keeper.self, fields)
                await broker.wait(for: fields.id, heldBy: test.peers(0))
                // Reports go one after the other, so the answer to the first has come when there is a second.
                let next = try test.meshes[0].handle(Keeper.self, test.stranger())
                await broker.wait(for: next.id.uniqueID, heldBy: test.peers(0))
                do {
                    _ = try await actor.count()
                    Issue.record("The actor is dead.")
                } catch let error as MeshError {
                    #expect(error.code == .actorDied)
                    #expect(error.message.contains("killed an hour ago"))
                }
            }
        }

        @Test("a silent receiver on another host pins nothing for longer than the lease time")
        func silentReceiver() async throws {
            let settings = MeshSettings(leaseTime: .milliseconds(600), heartbeatInterval: .milliseconds(50))
            try await withCountedMesh(settings: settings, hosts: ["a", "b", "a"]) { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await test.makeKeeper(broker)
                    id = actor.id.uniqueID
                    // It cannot say that it holds the actor, since nobody takes its report; then it vanishes.
                    test.meshes[1].directory.withLock { $0 = SilentDirectory() }
                    try await keeper.keep(actor)
                    test.cut(0, 1)
                }
                #expect(test.meshes[0].handlesInTransit == 1)
                await broker.wait(for: id, heldBy: [])
                #expect(test.meshes[0].handlesInTransit == 0)
            }
        }

        @Test("without a broker handles are passed on as ever, and nothing piles up")
        func noBroker() async throws {
            try await withTestMesh(parts: 3) { test in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let actor = try await test.host(in: 2) { Keeper(actorSystem: $0) }
                for _ in 0..<10 { try await keeper.keep(actor) }
                #expect(try await keeper.all().count == 10)
                try await keeper.drop()
                #expect(try await poll { test.meshes.allSatisfy { $0.handlesInTransit == 0 } })
                #expect(try await poll { test.meshes[1].leases.size == 0 })
                #expect(test.meshes[0].leases.count == 2)
            }
        }

        @Test("a message with more handles than it can name is refused")
        func tooMany() async throws {
            try await withTestMesh { test in
                let keeper = try await test.host { Keeper(actorSystem: $0) }
                let many = try (0...HandlesInTransit.most).map { _ in
                    try test.meshes[0].handle(Keeper.self, test.stranger(part: 1))
                }
                #expect(await codeThrown { try await keeper.keepAll(["many": many]) } == .payloadTooLarge)
                try await keeper.keepAll(["many": many.dropLast()])
                #expect(try await keeper.count() == HandlesInTransit.most)
            }
        }

        @Test("a receiver that is gone, and a message that was not sent, pin nothing")
        func goneReceiver() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                _ = try await keeper.count()
                let id: UniqueID
                do {
                    let actor = try await test.makeKeeper(broker)
                    id = actor.id.uniqueID
                    test.cut(0, 1)
                    try await test.meshes[0].tell { try await keeper.keep(actor) }
                    #expect(test.meshes[0].handlesInTransit == 1)
                }
                #expect(broker.holders(of: id) == test.peers(0))
                test.lose(1)
                await broker.wait(for: id, heldBy: [])
                let another = try await test.makeKeeper(broker)
                #expect(await codeThrown { try await keeper.keep(another) } == .actorDied)
                #expect(test.meshes[0].handlesInTransit == 0)
            }
        }

        @Test("a call that is refused, fails or is cancelled leaves no hold behind")
        func failures() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await test.makeKeeper(broker)
                    id = actor.id.uniqueID
                    await #expect(throws: Refusal.closed) { try await keeper.refuse(actor) }
                    test.meshes[1].endActor(
                        keeper.id.uniqueID, because: MeshError(.actorDied, "It was ended."))
                    #expect(await codeThrown { try await keeper.keep(actor) } == .actorDied)
                    #expect(try await actor.echo(actor).id == actor.id)
                }
                await broker.wait(for: id, heldBy: [])
                #expect(try await poll { test.meshes.allSatisfy { $0.leases.size <= 1 } })
                #expect(try await poll { test.meshes.allSatisfy { $0.handlesInTransit == 0 } })
            }
        }

        @Test("calls to an actor of the same process carry their handles with them")
        func sameProcess() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 0) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await test.makeKeeper(broker)
                    id = actor.id.uniqueID
                    try await test.meshes[0].tell { try await keeper.keep(actor) }
                }
                var given = try await keeper.give()
                #expect(given?.id.uniqueID == id)
                #expect(broker.timesUnheld(id) == 0)
                given = nil
                await broker.wait(for: id, heldBy: [])
            }
        }

        @Test("handles in a stream are held by its writer, on their way, and by its reader")
        func streams() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await test.makeKeeper(broker)
                    id = actor.id.uniqueID
                    try await keeper.keep(actor)
                }
                await broker.wait(for: id, heldBy: test.peers(1))
                var read: [Keeper] = []
                for try await one in try await keeper.stream() { read.append(one) }
                #expect(read.map(\.id.uniqueID) == [id])
                await broker.wait(for: id, heldBy: test.peers(0))
                #expect(broker.timesUnheld(id) == 0)
                read = []
                await broker.wait(for: id, heldBy: [])
            }
        }

        @Test("a value that was encoded ahead holds its actors wherever it lies")
        func encodedValues() async throws {
            try await withCountedMesh { test, broker in
                let post = try await test.host(in: 1) { Post(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await test.makeKeeper(broker)
                    id = actor.id.uniqueID
                    try await post.leave(
                        TaskSpec(
                            id: .make(), typeName: "t", displayType: "t", task: try test.meshes[0].encode(["a": actor]),
                            owner: ActorOwner(process: PeerID(1))))
                }
                await broker.wait(for: id, heldBy: test.peers(1))
                var spec = try await post.fetch()
                await broker.wait(for: id, heldBy: test.peers(0))
                var actors = try test.meshes[0].decode(
                    [String: Keeper].self, from: try #require(spec).task, what: "a task")
                spec = nil
                #expect(try await actors["a"]?.count() == 0)
                #expect(broker.timesUnheld(id) == 0)
                actors = [:]
                await broker.wait(for: id, heldBy: [])
            }
        }
    }
}

/// A broker that takes no report.
private struct SilentDirectory: MeshDirectory {
    func locate(_ actor: UniqueID, after: UInt64, hasEnded: Bool) async throws(MeshError) -> ActorLocation {
        throw MeshError(.brokerUnavailable, "It is away.")
    }

    func report(_ changes: HoldChanges) async throws(MeshError) -> [EndedActor] {
        throw MeshError(.brokerUnavailable, "It is away.")
    }
}

/// Keeps a value that it cannot read.
distributed actor Post: RemoteActor {
    private var spec: TaskSpec?

    init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    distributed func leave(_ spec: TaskSpec) { self.spec = spec }

    distributed func fetch() -> TaskSpec? {
        defer { self.spec = nil }
        return self.spec
    }
}
