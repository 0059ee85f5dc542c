import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite("The registry: nodes that come back")
struct AdoptionTests {
    typealias Harness = RegistryHarness

    private func hosted(_ spec: ActorSpec, in process: PeerID = PeerID(500)) -> HostedSpec {
        HostedSpec(spec: spec, address: Harness.address(process))
    }

    @Test("a broker that knows nothing takes over what a node has, and a name goes to the first")
    func adoption() throws {
        var harness = Harness(nodes: [])
        let (one, two) = (Harness.spec("a"), Harness.spec("a"))
        #expect(harness.join(PeerID(1), actors: [self.hosted(one)]).isEmpty)
        #expect(try harness.registry.find(name: "a", namespace: nil)?.phase == .alive)
        #expect(harness.join(PeerID(1), actors: [self.hosted(one)]).isEmpty, "it may say so again")
        #expect(harness.registry.nodes[PeerID(1)]?.actors == [one.id])
        #expect(harness.join(PeerID(2), actors: [self.hosted(two)]).map(\.id) == [two.id])
        #expect(harness.entry(two) == nil)
    }

    @Test("a child that is brought before its owner ends with it all the same")
    func childFirst() throws {
        var harness = Harness(nodes: [])
        let top = Harness.spec("top")
        let child = Harness.spec("child", owner: ActorOwner(process: PeerID(500), actor: top.id, incarnation: 1))
        harness.join(PeerID(1), actors: [self.hosted(child, in: PeerID(501))])
        harness.join(PeerID(2), actors: [self.hosted(top)])
        harness.note { $0.kill(top.id, restart: false, by: "", at: $1) }
        harness.settle()
        #expect(harness.cause(child) == .ownerDied)
    }

    @Test("a child whose owner nobody brings ends")
    func ownerMissing() throws {
        var harness = Harness(nodes: [])
        let owner = ActorOwner(process: PeerID(500), actor: UniqueID(high: 7, low: 7), incarnation: 1)
        let child = Harness.spec("child", owner: owner)
        harness.join(PeerID(1), actors: [self.hosted(child)])
        harness.note { registry, _ in registry.grant(child.id, to: PeerID(7)) }
        harness.pass(.seconds(60))
        #expect(harness.cause(child) == .ownerDied)
    }

    @Test("what was adopted is held by those who say so in time, and released without them")
    func holders() throws {
        var harness = Harness(nodes: [])
        let (held, free) = (Harness.spec("held"), Harness.spec("free"))
        harness.join(PeerID(1), actors: [self.hosted(held), self.hosted(free)])
        harness.note { registry, now in
            _ = registry.report(
                HoldChanges(acquired: [held.id], isComplete: true), by: Harness.driver, on: nil, at: now)
        }
        harness.settle()
        #expect(harness.entry(free)?.phase == .alive, "its holders may be still to come")
        harness.pass(.seconds(60))
        #expect(harness.entry(held)?.phase == .alive)
        #expect(harness.cause(free) == .released)
    }

    @Test("a node that was given up and comes back has to end what lives elsewhere by now")
    func strays() throws {
        var harness = Harness()
        let spec = Harness.spec("a", options: ActorOptions(maxRestarts: 1))
        let mortal = Harness.spec("b", options: ActorOptions(node: "node1"))
        let process = try harness.spawn(spec)
        try harness.spawn(mortal)
        harness.crash(PeerID(1))
        harness.settle()
        #expect(harness.entry(spec)?.node == PeerID(2))
        let strays = harness.join(
            PeerID(1), actors: [self.hosted(spec, in: process), self.hosted(mortal), self.hosted(Harness.spec("c"))])
        #expect(strays.count == 3, "also one that this broker never knew: it decided about all that the node had")
        #expect(harness.entry(spec)?.spec.incarnation == 2)
        #expect(harness.entry(spec)?.phase == .alive)
    }

    @Test("what a node does not list any more is ended there before it is started again")
    func unlisted() throws {
        var harness = Harness()
        let spec = Harness.spec("a", options: ActorOptions(maxRestarts: 1))
        try harness.spawn(spec)
        harness.effects = []
        // The list may have been made before the actor was started.
        harness.join(PeerID(1))
        #expect(harness.effects.contains { if case .end(spec.id, 1, PeerID(1), .kill, _) = $0 { true } else { false } })
        #expect(!harness.effects.contains { if case .start = $0 { true } else { false } })
        harness.settle()
        #expect(harness.entry(spec)?.spec.incarnation == 2)
    }
}
