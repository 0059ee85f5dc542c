import ActorMesh
import MeshCore
import MeshFixtures
import MeshRuntime
import MeshTesting
import Synchronization
import Testing

extension Integration {
    @Suite("Handles that count (L1, C8)", .timeLimit(.minutes(10)))
    struct CountedHandlesTests {
        /// The actor that is passed around. It lives in the last part, and the test's own handle to it belongs to the
        /// first; whoever calls this lets go of that by leaving the scope.
        private func makeActor(_ test: TestMesh, _ broker: RecordingBroker) async throws -> Keeper {
            let actor = try await test.host(in: test.meshes.count - 1) { Keeper(actorSystem: $0) }
            await broker.wait(for: actor.id.uniqueID, heldBy: test.peers(0))
            return actor
        }

        @Test("a process holds an actor as long as it has a handle", arguments: TestMesh.Form.allCases)
        func one(form: TestMesh.Form) async throws {
            try await withCountedMesh(form) { test, broker in
                var actor: Keeper? = try await self.makeActor(test, broker)
                let id = try #require(actor?.id.uniqueID)
                var copies = [actor, try test.handle(to: try #require(actor), seenFrom: 0)]
                actor = nil
                #expect(broker.holders(of: id) == test.peers(0))
                copies = []
                await broker.wait(for: id, heldBy: [])
                #expect(copies.isEmpty)
                #expect(test.meshes[0].leases.size == 0)
            }
        }

        @Test("an ID taken from a handle counts too")
        func ids() async throws {
            try await withCountedMesh { test, broker in
                var id: ActorID? = try await self.makeActor(test, broker).id
                let number = try #require(id?.uniqueID)
                _ = try await test.host(in: 1) { Keeper(actorSystem: $0) }.count()
                #expect(broker.timesUnheld(number) == 0)
                id = nil
                await broker.wait(for: number, heldBy: [])
                _ = id
            }
        }

        @Test("an argument that is kept is held there before it is let go here", arguments: TestMesh.Form.allCases)
        func argument(form: TestMesh.Form) async throws {
            try await withCountedMesh(form) { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await self.makeActor(test, broker)
                    id = actor.id.uniqueID
                    try await keeper.keep(actor)
                }
                await broker.wait(for: id, heldBy: test.peers(1))
                #expect(broker.timesUnheld(id) == 0)
                try await keeper.drop()
                await broker.wait(for: id, heldBy: [])
                #expect(broker.timesUnheld(id) == 1)
                #expect(broker.excess == 0)
            }
        }

        @Test("so is a message that nobody answers", arguments: TestMesh.Form.allCases)
        func told(form: TestMesh.Form) async throws {
            try await withCountedMesh(form) { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await self.makeActor(test, broker)
                    id = actor.id.uniqueID
                    try await test.meshes[0].tell { try await keeper.keep(actor) }
                }
                await broker.wait(for: id, heldBy: test.peers(1))
                #expect(broker.timesUnheld(id) == 0)
            }
        }

        @Test("handles inside of collections and optionals, and of generic arguments and results")
        func nested() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                var ids: [UniqueID] = []
                do {
                    let actors = [try await self.makeActor(test, broker), try await self.makeActor(test, broker)]
                    ids = actors.map(\.id.uniqueID)
                    try await keeper.keepAll(["a": [actors[0], nil], "b": [], "c": [actors[1], actors[0]]])
                    let echoed = try await keeper.echo(["x": [Switchless(actor: actors[1], other: nil)]])
                    #expect(echoed["x"]?.first?.actor.id == actors[1].id)
                }
                for id in ids { await broker.wait(for: id, heldBy: test.peers(1)) }
                do {
                    let all = try await keeper.all()
                    #expect(Set(all.map(\.id.uniqueID)) == Set(ids))
                    try await keeper.drop()
                    for id in ids { await broker.wait(for: id, heldBy: test.peers(0)) }
                    _ = all.count
                }
                for id in ids { await broker.wait(for: id, heldBy: []) }
                for id in ids { #expect(broker.timesUnheld(id) == 1) }
            }
        }

        /// Handles in fields.
        struct Switchless: Codable, Sendable {
            var actor: Keeper
            var other: Keeper?
        }

        @Test("a result is held by the caller before the callee lets go of it", arguments: TestMesh.Form.allCases)
        func result(form: TestMesh.Form) async throws {
            try await withCountedMesh(form) { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await self.makeActor(test, broker)
                    id = actor.id.uniqueID
                    try await keeper.keep(actor)
                }
                await broker.wait(for: id, heldBy: test.peers(1))
                var given = try await keeper.give()
                await broker.wait(for: id, heldBy: test.peers(0))
                #expect(broker.timesUnheld(id) == 0)
                #expect(try await given?.count() == 0)
                given = nil
                await broker.wait(for: id, heldBy: [])
                #expect(broker.excess == 0)
            }
        }

        @Test("a result that nobody reads is let go of")
        func unreadResult() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await self.makeActor(test, broker)
                    id = actor.id.uniqueID
                    try await keeper.keep(actor)
                }
                await broker.wait(for: id, heldBy: test.peers(1))
                try await test.meshes[0].tell { try await keeper.give() }
                await broker.wait(for: id, heldBy: [])
                // One whose caller gave up, and one that is of another type than the caller thinks.
                #expect(test.meshes.allSatisfy { $0.handlesInTransit == 0 })
            }
        }

        @Test("a handle that is passed from process to process is never unheld", arguments: 0..<5)
        func chain(seed: UInt64) async throws {
            // Messages are lost, repeated and late.
            let faults = Faults(drop: 0.02, duplicate: 0.05, delay: 0.1, maximumDelay: .milliseconds(2))
            try await withCountedMesh(parts: 4, faults: faults, seed: seed) { test, broker in
                var keepers: [Keeper] = []
                for part in 0..<3 { keepers.append(try await test.host(in: part) { Keeper(actorSystem: $0) }) }
                let id: UniqueID
                do {
                    let actor = try await self.makeActor(test, broker)
                    id = actor.id.uniqueID
                    try await keepers[0].keep(actor)
                }
                for step in 0..<20 { try await keepers[step % 3].pass(to: keepers[(step + 1) % 3]) }
                await broker.wait(for: id, heldBy: test.peers(20 % 3))
                #expect(broker.timesUnheld(id) == 0)
                try await keepers[20 % 3].drop()
                await broker.wait(for: id, heldBy: [])
                #expect(broker.excess == 0)
            }
        }

        @Test("an actor does not hold itself, but can be passed on by itself")
        func itself() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await self.makeActor(test, broker)
                    id = actor.id.uniqueID
                    try await actor.introduce(to: keeper)
                    #expect(try await actor.me().id == actor.id)
                }
                await broker.wait(for: id, heldBy: test.peers(1))
                #expect(broker.timesUnheld(id) == 0)
                try await keeper.drop()
                await broker.wait(for: id, heldBy: [])
                #expect(test.meshes[2].leases.count == 0)
            }
        }

        @Test("a weak handle holds nothing, wherever it goes")
        func weak() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                let weak: Keeper
                do {
                    let actor = try await self.makeActor(test, broker)
                    id = actor.id.uniqueID
                    weak = try test.meshes[0].handle(
                        Keeper.self, HandleFields(actor.id.reference, isWeak: true))
                    try await keeper.keep(weak)
                    #expect(try await weak.count() == 0)
                }
                await broker.wait(for: id, heldBy: [])
                #expect(broker.reports(of: test.meshes[1].address.peer) == 0)
                #expect(try await keeper.all().first?.id.uniqueID == id)
            }
        }

        @Test("that the last handle went is not known before what was told to the actor has arrived")
        func toldThenDropped() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await self.makeActor(test, broker)
                    id = actor.id.uniqueID
                    _ = try await actor.count()
                    test.cut(0, 2)
                    try await test.meshes[0].tell { try await actor.keep(keeper) }
                }
                // The news of another actor, which comes later, is not held up.
                let later: UniqueID
                do {
                    let other = try test.meshes[0].handle(Keeper.self, self.stranger(test))
                    later = other.id.uniqueID
                    await broker.wait(for: later, heldBy: test.peers(0))
                }
                await broker.wait(for: later, heldBy: [])
                #expect(broker.holders(of: id) == test.peers(0))
                test.heal()
                await broker.wait(for: id, heldBy: [])
                await broker.wait(for: keeper.id.uniqueID, heldBy: test.peers(0, 2))
            }
        }

        @Test("nor when only a message had a handle since")
        func toldThenBroughtAgain() async throws {
            try await withCountedMesh { test, broker in
                let (keeper, friend) = (
                    try await test.host(in: 1) { Keeper(actorSystem: $0) },
                    try await test.host(in: 0, seenFrom: 1) { Keeper(actorSystem: $0) }
                )
                _ = try await friend.count()
                test.meshes[0].endActor(friend.id.uniqueID, because: MeshError(.actorDied, "It was ended."))
                let id: UniqueID
                do {
                    let actor = try await self.makeActor(test, broker)
                    id = actor.id.uniqueID
                    _ = try await actor.count()
                    try await keeper.keep(actor)
                    await broker.wait(for: id, heldBy: test.peers(0, 1))
                    test.cut(0, 2)
                    try await test.meshes[0].tell { try await actor.drop() }
                }
                // Nobody reads this one.
                do {
                    let actor = try #require(try await self.giveLocally(test, keeper))
                    #expect(await codeThrown { try await friend.keep(actor) } == .actorDied)
                }
                await broker.wait(for: id, heldBy: test.peers(0))
                let probe = try test.meshes[0].handle(Keeper.self, self.stranger(test))
                await broker.wait(for: probe.id.uniqueID, heldBy: test.peers(0))
                #expect(broker.holders(of: id) == test.peers(0))
                test.heal()
                await broker.wait(for: id, heldBy: [])
                #expect(test.meshes[0].leases.size == test.meshes[0].leases.count)
            }
        }

        /// What a keeper of part 1 keeps, as a handle of part 1.
        private func giveLocally(_ test: TestMesh, _ keeper: Keeper) async throws -> Keeper? {
            try await test.handle(to: keeper, seenFrom: 1).give()
        }

        /// Names an actor that does not exist.
        private func stranger(_ test: TestMesh, part: Int = 1) -> HandleFields {
            HandleFields(
                id: .make(), typeName: "Keeper", name: nil, window: 1,
                location: ActorLocation(address: test.meshes[part].address, incarnation: 1))
        }

        @Test("while the broker is away what was passed on stays held by who passed it on")
        func brokerAway() async throws {
            try await withCountedMesh { test, broker in
                let keeper = try await test.host(in: 1) { Keeper(actorSystem: $0) }
                let id: UniqueID
                do {
                    let actor = try await self.makeActor(test, broker)
                    id = actor.id.uniqueID
                    broker.goAway()
                    try await keeper.keep(actor)
                    // Not kept, so the receiver need not hold it: this one is answered all the same.
                    let stranger = try test.meshes[0].handle(Keeper.self, self.stranger(test))
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
                let actor = try await self.makeActor(test, broker)
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
                let fields = self.stranger(test)
                broker.end(fields.id, because: "It was killed an hour ago.")
                let actor = try test.meshes[0].handle(Keeper.self, fields)
                await broker.wait(for: fields.id, heldBy: test.peers(0))
                // Reports go one after the other, so the answer to the first has come when there is a second.
                let next = try test.meshes[0].handle(Keeper.self, self.stranger(test))
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
                    let actor = try await self.makeActor(test, broker)
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
                    try test.meshes[0].handle(Keeper.self, self.stranger(test, part: 1))
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
                    let actor = try await self.makeActor(test, broker)
                    id = actor.id.uniqueID
                    test.cut(0, 1)
                    try await test.meshes[0].tell { try await keeper.keep(actor) }
                    #expect(test.meshes[0].handlesInTransit == 1)
                }
                #expect(broker.holders(of: id) == test.peers(0))
                test.lose(1)
                await broker.wait(for: id, heldBy: [])
                let another = try await self.makeActor(test, broker)
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
                    let actor = try await self.makeActor(test, broker)
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
                    let actor = try await self.makeActor(test, broker)
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
                    let actor = try await self.makeActor(test, broker)
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
                    let actor = try await self.makeActor(test, broker)
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
