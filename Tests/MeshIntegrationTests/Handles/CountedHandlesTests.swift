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
        @Test("a process holds an actor as long as it has a handle", arguments: TestMesh.Form.allCases)
        func one(form: TestMesh.Form) async throws {
            try await withCountedMesh(form) { test, broker in
                var actor: Keeper? = try await test.makeKeeper(broker)
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
                var id: ActorID? = try await test.makeKeeper(broker).id
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
                    let actor = try await test.makeKeeper(broker)
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
                    let actor = try await test.makeKeeper(broker)
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
                    let actors = [try await test.makeKeeper(broker), try await test.makeKeeper(broker)]
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
                    let actor = try await test.makeKeeper(broker)
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
                    let actor = try await test.makeKeeper(broker)
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
                    let actor = try await test.makeKeeper(broker)
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
                    let actor = try await test.makeKeeper(broker)
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
                    let actor = try await test.makeKeeper(broker)
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
                    let actor = try await test.makeKeeper(broker)
                    id = actor.id.uniqueID
                    _ = try await actor.count()
                    test.cut(0, 2)
                    try await test.meshes[0].tell { try await actor.keep(keeper) }
                }
                // The news of another actor, which comes later, is not held up.
                let later: UniqueID
                do {
                    let other = try test.meshes[0].handle(Keeper.self, test.stranger())
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
                    let actor = try await test.makeKeeper(broker)
                    id = actor.id.uniqueID
                    _ = try await actor.count()
                    try await keeper.keep(actor)
                    await broker.wait(for: id, heldBy: test.peers(0, 1))
                    test.cut(0, 2)
                    try await test.meshes[0].tell { try await actor.drop() }
                }
                // Nobody reads this one.
                do {
                    let actor = try #require(try await test.giveLocally(keeper))
                    #expect(await codeThrown { try await friend.keep(actor) } == .actorDied)
                }
                await broker.wait(for: id, heldBy: test.peers(0))
                let probe = try test.meshes[0].handle(Keeper.self, test.stranger())
                await broker.wait(for: probe.id.uniqueID, heldBy: test.peers(0))
                #expect(broker.holders(of: id) == test.peers(0))
                test.heal()
                await broker.wait(for: id, heldBy: [])
                #expect(test.meshes[0].leases.size == test.meshes[0].leases.count)
            }
        }
    }
}
