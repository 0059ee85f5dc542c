import ActorMesh
import Glibc
import MeshFixtures
import MeshTesting
import Testing

extension Processes {
    /// L1: an actor that is not detached lives until its last handle anywhere is gone and the calls that it had accepted
    /// have run.
    @Suite("L1: handles that count") struct L1CountedHandles {
        /// A keeper that others can keep, with a handle that holds it and one that does not.
        private final class Kept {
            let weak: Keeper
            let name: String
            /// The driver's handle; nil to drop it.
            var handle: Keeper?
            private let mesh: Mesh

            init(_ mesh: Mesh, name: String = "kept") async throws {
                self.handle = try await mesh.spawn(Keeper.self, options: .init(name: name))
                self.weak = try await mesh.find(Keeper.self, named: name, weak: true)
                (self.mesh, self.name) = (mesh, name)
            }

            /// Lets the driver's handle go and waits until the broker knows of that; then only so many processes hold
            /// the actor, and it lives.
            func dropHeldElsewhere(
                holders: Int = 1, sourceLocation: SourceLocation = #_sourceLocation
            ) async throws {
                self.handle = nil
                try await poll(
                    { try await self.mesh.info(self.name)?.holders == holders }, sourceLocation: sourceLocation)
                #expect(try await self.weak.count() == 0, sourceLocation: sourceLocation)
            }

            func expectReleased(sourceLocation: SourceLocation = #_sourceLocation) async throws {
                let termination = try await self.mesh.terminated(self.weak)
                #expect(termination.cause == .released, "\(termination)", sourceLocation: sourceLocation)
                let code = await codeThrown { try await self.mesh.find(Keeper.self, named: self.name) }
                #expect(code == .actorNotFound, sourceLocation: sourceLocation)
            }
        }

        @Test("the driver's: a weak one does not hold, and calls through it fail afterwards")
        func driver() async throws {
            try await withFixtures { mesh in
                let kept = try await Kept(mesh)
                #expect(try await kept.weak.count() == 0)
                kept.handle = nil
                try await kept.expectReleased()
                #expect(await codeThrown { try await kept.weak.count() } == .actorDied)
            }
        }

        @Test("that in an actor's state, alone or inside of a collection", arguments: [false, true])
        func state(inCollection: Bool) async throws {
            try await withFixtures { mesh in
                let holder = try await mesh.spawn(Keeper.self)
                let kept = try await Kept(mesh)
                if inCollection {
                    try await holder.keepAll(["some": [kept.handle, nil]])
                } else {
                    try await holder.keep(kept.weak)
                    try await holder.drop()
                    try await holder.keep(#require(kept.handle))
                }
                try await kept.dropHeldElsewhere()
                try await holder.drop()
                try await kept.expectReleased()
            }
        }

        @Test("that of an actor that is killed, exits by a signal, or is released itself", arguments: 0..<3)
        func holderEnds(way: Int) async throws {
            try await withFixtures { mesh in
                var holder: Keeper? = try await mesh.spawn(Keeper.self, options: .init(name: "holder"))
                let kept = try await Kept(mesh)
                try await holder?.keep(#require(kept.handle))
                try await kept.dropHeldElsewhere()
                switch way {
                case 0: try await mesh.kill(#require(holder))
                case 1: kill(try #require(try await mesh.info("holder")).processID, SIGKILL)
                default: holder = nil
                }
                try await kept.expectReleased()
                withExtendedLifetime(holder) {}
            }
        }

        @Test("that in a task's field")
        func task() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let kept = try await Kept(mesh)
                let done = try await mesh.submit(Keeping(#require(kept.handle), witness))
                try await witness.wait(for: "held", count: 1)
                // The task may have to be sent again, so its submitter holds the actor too.
                try await kept.dropHeldElsewhere(holders: 2)
                try await witness.reach("go")
                #expect(try await done.value == 0)
                try await kept.expectReleased()
            }
        }

        @Test("that inside of a call that waits for its turn")
        func undelivered() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let holder = try await mesh.spawn(Keeper.self)
                let kept = try await Kept(mesh)
                try await mesh.tell { try await holder.hold(witness) }
                try await witness.wait(for: "held", count: 1)
                let looked = try await self.lookLater(mesh, holder, at: #require(kept.handle))
                try await kept.dropHeldElsewhere()
                try await witness.reach("go")
                #expect(try await looked.value == 0)
                try await kept.expectReleased()
            }
        }

        /// Only the message has the handle when this returns.
        private func lookLater(_ mesh: Mesh, _ holder: Keeper, at kept: Keeper) async throws -> ObjectRef<Int> {
            try await mesh.submit { try await holder.look(at: kept) }
        }

        @Test("one that a stream has given to its reader")
        func stream() async throws {
            try await withFixtures { mesh in
                let holder = try await mesh.spawn(Keeper.self)
                let kept = try await Kept(mesh)
                try await holder.keep(#require(kept.handle))
                try await kept.dropHeldElsewhere()
                for try await one in try await holder.stream() {
                    #expect(try await one.count() == 0)
                }
                try await kept.expectReleased()
            }
        }

        @Test("what was told before the last handle went still runs, all of it")
        func toldThenDropped() async throws {
            try await withFixtures { mesh in
                let witness = try await mesh.spawn(Witness.self, options: Witness.options)
                let kept = try await Kept(mesh)
                for _ in 0..<100 {
                    try await mesh.tell { [handle = kept.weak] in try await handle.note("told", witness) }
                }
                kept.handle = nil
                try await kept.expectReleased()
                #expect(try await witness.count(of: "told") == 100)
            }
        }

        @Test("an actor that keeps itself is not kept by that")
        func itself() async throws {
            try await withFixtures { mesh in
                let kept = try await Kept(mesh)
                try await kept.handle?.keepMyself()
                kept.handle = nil
                try await kept.expectReleased()
            }
        }

        @Test("after any mix of passing, dropping and killing the broker knows what is held", arguments: [1, 2, 3])
        func mix(seed: UInt64) async throws {
            try await withFixtures { mesh in
                var random = SplitMix(seed: seed)
                var model = Model()
                var holders: [Keeper] = []
                for _ in 0..<4 { holders.append(try await mesh.spawn(Keeper.self)) }
                var items: [String: Keeper] = [:]
                for number in 0..<5 {
                    let name = "item \(number)"
                    items[name] = try await mesh.spawn(Keeper.self, options: .init(name: name))
                    model.own(name)
                }
                for _ in 0..<60 {
                    let one = Int.random(in: 0..<holders.count, using: &random)
                    let other = (one + 1) % holders.count
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0..<5:
                        guard let (name, item) = items.sorted(by: { $0.key < $1.key }).randomElement(using: &random)
                        else { continue }
                        try await holders[one].keep(item)
                        model.keep(name, one)
                    case 5..<7:
                        try await holders[one].pass(to: holders[other])
                        model.pass(one, other)
                    case 7:
                        try await holders[one].drop()
                        model.drop(one)
                    case 8:
                        try await mesh.kill(holders[one])
                        holders[one] = try await mesh.spawn(Keeper.self)
                        model.drop(one)
                    default:
                        guard let name = items.keys.sorted().randomElement(using: &random) else { continue }
                        items[name] = nil
                        model.disown(name)
                    }
                }
                let expected = model
                try await poll {
                    let known = try await mesh.actors().filter { $0.name != nil }
                    return Dictionary(uniqueKeysWithValues: known.map { ($0.name ?? "", $0.holders) })
                        == expected.counts
                }
                items = [:]
                for holder in holders { try await holder.drop() }
                try await poll { try await mesh.actors().allSatisfy { $0.name == nil } }
                #expect(try await mesh.actors().count == 4)
            }
        }

        /// Who should hold what.
        private struct Model: Sendable {
            private var owned: Set<String> = []
            private var held: [Int: Set<String>] = [:]

            mutating func own(_ name: String) { self.owned.insert(name) }
            mutating func disown(_ name: String) { self.owned.remove(name) }
            mutating func keep(_ name: String, _ holder: Int) { self.held[holder, default: []].insert(name) }
            mutating func drop(_ holder: Int) { self.held[holder] = nil }
            mutating func pass(_ holder: Int, _ other: Int) {
                self.held[other, default: []].formUnion(self.held.removeValue(forKey: holder) ?? [])
            }

            /// How many processes hold each of the actors that live.
            var counts: [String: Int] {
                var counts: [String: Int] = [:]
                for name in self.owned { counts[name, default: 0] += 1 }
                for name in self.held.values.joined() { counts[name, default: 0] += 1 }
                return counts
            }
        }
    }
}

/// Numbers that follow from a seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
