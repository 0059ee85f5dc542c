import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite("The registry: life and death")
struct LifeTests {
    typealias Harness = RegistryHarness

    @Test("an actor that nobody holds any more is released once it has nothing to do")
    func released() throws {
        var harness = Harness()
        let spec = Harness.spec("a")
        try harness.spawn(spec)
        #expect(harness.entry(spec)?.phase == .alive)
        harness.note { registry, now in
            _ = registry.report(HoldChanges(acquired: [spec.id]), by: PeerID(7), on: nil, at: now)
        }
        let release = HoldChanges(released: [.init(actor: spec.id, grants: 1)])
        harness.note { registry, now in _ = registry.report(release, by: Harness.driver, on: nil, at: now) }
        harness.settle()
        #expect(harness.entry(spec)?.phase == .alive, "another process has a handle")
        harness.note { registry, now in _ = registry.report(release, by: PeerID(7), on: nil, at: now) }
        harness.settle()
        #expect(harness.entry(spec) == nil)
        #expect(harness.cause(spec) == .released)
    }

    @Test("a handle that comes while the last one goes keeps the actor")
    func revived() throws {
        var harness = Harness()
        let spec = Harness.spec("a")
        try harness.spawn(spec)
        let release = HoldChanges(released: [.init(actor: spec.id, grants: 1)])
        harness.note { registry, now in _ = registry.report(release, by: Harness.driver, on: nil, at: now) }
        #expect(harness.effects.contains { if case .awaitIdle = $0 { true } else { false } })
        harness.note { registry, _ in registry.grant(spec.id, to: PeerID(7)) }
        harness.settle()
        #expect(harness.entry(spec)?.phase == .alive)
    }

    @Test("grants and releases that overtake each other leave what is held")
    func overtaken() throws {
        var harness = Harness()
        let spec = Harness.spec("a")
        try harness.spawn(spec)
        // A second handle is given before the release of the first arrives.
        harness.note { registry, _ in registry.grant(spec.id, to: Harness.driver) }
        let release = HoldChanges(released: [.init(actor: spec.id, grants: 1)])
        harness.note { registry, now in _ = registry.report(release, by: Harness.driver, on: nil, at: now) }
        harness.settle()
        #expect(harness.entry(spec)?.holders == [Harness.driver: 1])
    }

    @Test("a complete report replaces what was known, after a grace for handles that were on their way to the process")
    func completeReport() throws {
        var harness = Harness()
        let (kept, gone, made) = (Harness.spec("a"), Harness.spec("b"), Harness.spec("c"))
        for spec in [kept, gone] { try harness.spawn(spec) }
        harness.note { registry, _ in registry.grant(kept.id, to: Harness.driver) }
        let starting = try harness.note { registry, now in try registry.spawn(made, holder: Harness.driver, at: now) }
        let complete = HoldChanges(acquired: [kept.id], isComplete: true)
        harness.note { registry, now in _ = registry.report(complete, by: Harness.driver, on: nil, at: now) }
        #expect(harness.entry(kept)?.holders == [Harness.driver: 1])
        harness.settle()
        #expect(harness.entry(gone)?.phase == .alive)
        // This one gets its handle late, and says so.
        harness.start(starting)
        let late = HoldChanges(acquired: [kept.id, made.id], isComplete: true)
        harness.note { registry, now in _ = registry.report(late, by: Harness.driver, on: nil, at: now) }
        harness.pass(.seconds(1))
        #expect(harness.cause(gone) == .released)
        #expect(harness.entry(made)?.phase == .alive)
        #expect(harness.entry(kept)?.phase == .alive)
    }

    @Test("an actor whose maker lost its handle while it was made ends after a grace")
    func lostWhileMade() throws {
        var harness = Harness()
        let spec = try harness.note { registry, now in
            try registry.spawn(Harness.spec(), holder: Harness.driver, at: now)
        }
        let complete = HoldChanges(isComplete: true)
        harness.note { registry, now in _ = registry.report(complete, by: Harness.driver, on: nil, at: now) }
        harness.pass(.seconds(1))
        harness.start(spec)
        harness.settle()
        #expect(harness.entry(spec)?.phase == .alive)
        harness.pass(.seconds(1))
        #expect(harness.cause(spec) == .released)
    }

    @Test("a process that dies gives up its handles, after a grace for those on their way")
    func holderDies() throws {
        var harness = Harness()
        let spec = Harness.spec(options: ActorOptions(), owner: ActorOwner(process: PeerID(50)))
        try harness.spawn(spec, holder: PeerID(7))
        harness.crash(PeerID(7))
        harness.settle()
        #expect(harness.entry(spec)?.phase == .alive)
        harness.pass(.seconds(1))
        #expect(harness.cause(spec) == .released)
    }

    @Test("an actor may be started again as often as it says, with a higher incarnation and under its name")
    func restarts() throws {
        var harness = Harness()
        let spec = Harness.spec("a", options: ActorOptions(maxRestarts: 2))
        var process = try harness.spawn(spec)
        for life in 2...3 {
            harness.crash(process)
            #expect(try harness.registry.find(name: "a", namespace: nil)?.spec.id == spec.id)
            harness.pass(.seconds(1))
            #expect(harness.entry(spec)?.phase == .alive)
            #expect(harness.entry(spec)?.spec.incarnation == UInt64(life))
            process = try #require(harness.entry(spec)?.address?.peer)
        }
        harness.crash(process)
        harness.settle()
        #expect(harness.cause(spec) == .restartsExhausted)
        #expect(try harness.registry.find(name: "a", namespace: nil) == nil)
    }

    @Test("restarts in a row wait longer each time")
    func backoff() throws {
        var harness = Harness()
        let spec = Harness.spec(options: ActorOptions(maxRestarts: .unlimited))
        let first = try harness.spawn(spec)
        harness.crash(first)
        harness.settle()
        #expect(harness.entry(spec)?.phase == .alive, "the first restart does not wait")
        harness.crash(try #require(harness.entry(spec)?.address?.peer))
        harness.settle()
        #expect(harness.entry(spec)?.phase != .alive)
        harness.pass(.milliseconds(100))
        #expect(harness.entry(spec)?.phase == .alive)
    }

    @Test("kill ends for good unless a restart is asked for and allowed", arguments: [true, false])
    func kill(mayRestart: Bool) throws {
        var harness = Harness()
        let spec = Harness.spec("a", options: ActorOptions(maxRestarts: mayRestart ? 1 : 0))
        try harness.spawn(spec)
        harness.note { $0.kill(spec.id, restart: true, by: "", at: $1) }
        harness.settle()
        #expect(harness.entry(spec)?.spec.incarnation == (mayRestart ? 2 : nil))
        harness.note { $0.kill(spec.id, restart: false, by: "", at: $1) }
        harness.settle()
        #expect(harness.cause(spec) == .killed)
        harness.note { $0.kill(spec.id, restart: false, by: "", at: $1) }
    }

    @Test("children end with their owner, the youngest first, down the tree")
    func tree() throws {
        var harness = Harness()
        let top = Harness.spec("top")
        try harness.spawn(top)
        let owner = ActorOwner(process: PeerID(1), actor: top.id, incarnation: 1)
        let (one, two) = (Harness.spec("one", owner: owner), Harness.spec("two", owner: owner))
        try harness.spawn(one)
        try harness.spawn(two)
        let leaf = Harness.spec(
            "leaf", owner: ActorOwner(process: PeerID(1), actor: one.id, incarnation: 1))
        try harness.spawn(leaf)
        harness.effects = []
        harness.note { $0.kill(top.id, restart: false, by: "", at: $1) }
        harness.note { $0.ended(top.id, incarnation: 1, process: nil, at: $1) }
        let ends = harness.effects.compactMap { effect -> UniqueID? in
            if case .end(let id, _, _, .stop, .ownerDied) = effect { id } else { nil }
        }
        #expect(ends == [two.id, one.id])
        harness.settle()
        #expect(harness.registry.entries.isEmpty)
        #expect([one, two, leaf].allSatisfy { harness.cause($0) == .ownerDied })
    }

    @Test("an actor that is started again begins without the children of its last life")
    func restartedParent() throws {
        var harness = Harness()
        let top = Harness.spec("top", options: ActorOptions(maxRestarts: 1))
        let process = try harness.spawn(top)
        let owner = ActorOwner(process: process, actor: top.id, incarnation: 1)
        let child = Harness.spec("child", owner: owner)
        try harness.spawn(child)
        harness.effects = []
        harness.crash(process)
        #expect(harness.entry(top)?.phase != .starting, "its child has not ended yet")
        #expect(!harness.effects.contains { if case .start = $0 { true } else { false } })
        harness.settle()
        #expect(harness.entry(top)?.spec.incarnation == 2)
        #expect(harness.entry(top)?.phase == .alive)
        #expect(harness.cause(child) == .ownerDied)
        // What the dead life asked for late does not come to life.
        #expect(
            refusal { try harness.registry.spawn(Harness.spec(owner: owner), holder: nil, at: harness.moment) }?.code
                == .actorDied)
    }

    @Test("a detached actor outlives its owner and its handles")
    func detached() throws {
        var harness = Harness()
        let spec = Harness.spec("d", options: ActorOptions(lifetime: .detached))
        try harness.spawn(spec)
        harness.crash(Harness.driver)
        harness.pass(.seconds(10))
        #expect(harness.entry(spec)?.phase == .alive)
    }

    @Test("the actors of a node that is lost start again on another, or end")
    func nodeLost() throws {
        var harness = Harness()
        let mortal = Harness.spec("m", options: ActorOptions(node: "node1"))
        let hardy = Harness.spec("h", options: ActorOptions(lifetime: .detached, maxRestarts: 1))
        try harness.spawn(mortal)
        try harness.spawn(hardy)
        let home = try #require(harness.entry(hardy)?.node)
        harness.crash(PeerID(1))
        if home == PeerID(2) { harness.crash(PeerID(2)) }
        harness.settle()
        #expect(harness.cause(mortal) != nil)
        if home == PeerID(2) {
            #expect(harness.registry.waitingReason(of: hardy.id) != nil, "no node is there to start it on")
            harness.join(PeerID(3))
        }
        harness.pass(.seconds(1))
        #expect(harness.entry(hardy)?.phase == .alive)
        #expect(harness.entry(hardy)?.spec.incarnation == 2)
    }
}
