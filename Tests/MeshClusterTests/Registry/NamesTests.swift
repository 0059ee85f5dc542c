import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite("The registry: names")
struct NamesTests {
    typealias Harness = RegistryHarness

    @Test("a name belongs to one actor of its namespace, from its start until it has ended")
    func names() throws {
        var harness = Harness()
        let (one, two) = (Harness.spec("a"), Harness.spec("a"))
        let spec = try harness.note { registry, now in try registry.spawn(one, holder: nil, at: now) }
        let taken = refusal { try harness.spawn(two) }
        #expect(taken?.code == .nameTaken)
        #expect(taken?.message.contains("findOrSpawn") == true)
        #expect(harness.entry(two) == nil)
        try harness.spawn(Harness.spec("a", options: ActorOptions(namespace: "other")))
        #expect(try harness.registry.find(name: "a", namespace: nil)?.phase == .starting)
        let process = harness.start(spec)
        #expect(try harness.registry.find(name: "a", namespace: "default")?.address?.peer == process)
        harness.note { $0.kill(one.id, restart: false, by: "", at: $1) }
        #expect(refusal { try harness.spawn(two) }?.code == .nameTaken, "it has not ended yet")
        harness.settle()
        #expect(try harness.registry.find(name: "a", namespace: nil) == nil)
        try harness.spawn(two)
    }

    @Test("a name is free again when the initialiser has failed")
    func failed() throws {
        var harness = Harness()
        let spec = Harness.spec("a")
        _ = try harness.note { registry, now in try registry.spawn(spec, holder: Harness.driver, at: now) }
        let death = Registry.Death(.constructorFailed, "Its initialiser failed.")
        harness.note { $0.startFailed(spec.id, incarnation: 1, death, at: $1) }
        #expect(harness.cause(spec) == .constructorFailed)
        try harness.spawn(Harness.spec("a"))
    }

    @Test("a name must say something, and not too much")
    func badNames() {
        var harness = Harness()
        #expect(refusal { try harness.spawn(Harness.spec("")) }?.code == .invalidArgument)
        let long = String(repeating: "x", count: 513)
        #expect(refusal { _ = try harness.registry.find(name: long, namespace: nil) }?.code == .invalidArgument)
    }

    @Test("an actor that was killed while it started does not live")
    func killedEarly() throws {
        var harness = Harness()
        let spec = Harness.spec("a")
        _ = try harness.note { registry, now in try registry.spawn(spec, holder: Harness.driver, at: now) }
        harness.note { $0.kill(spec.id, restart: false, by: "", at: $1) }
        harness.settle()
        harness.note { registry, now in
            registry.started(spec.id, incarnation: 1, at: Harness.address(PeerID(5)), on: PeerID(1), at: now)
        }
        #expect(harness.entry(spec) == nil)
        #expect(harness.effects.contains { if case .end(spec.id, 1, _, .kill, _) = $0 { true } else { false } })
    }
}
