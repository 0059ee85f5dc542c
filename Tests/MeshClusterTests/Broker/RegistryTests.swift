import FoundationEssentials
import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite("The registry")
struct RegistryTests {
    private let host = HostID("here")

    private func address(_ peer: UInt64) -> PeerAddress {
        PeerAddress(peer: PeerID(peer), host: self.host, processID: Int32(peer), startTime: 1, endpoints: [])
    }

    private func node(_ peer: UInt64, programs: [String] = ["app"], cpus: Double = 2) -> NodeRegistration {
        NodeRegistration(
            name: "node\(peer)", address: self.address(peer), programs: programs, resources: Resources(cpus: cpus))
    }

    private func spec(
        _ name: String? = nil, options: ActorOptions = ActorOptions(), type: String = "app.Counter",
        program: String = "app", owner: UInt64 = 99
    ) -> ActorSpec {
        var options = options
        options.name = name
        return ActorSpec(
            id: .make(), typeName: type, displayType: type, program: program, arguments: EncodedValue(),
            options: options,
            window: 1, owner: PeerID(owner), incarnation: 1)
    }

    private func refusal(_ body: () throws -> Void) -> MeshError? {
        do {
            try body()
            return nil
        } catch {
            return error as? MeshError
        }
    }

    @Test("a name belongs to one actor of its namespace, from its start until it is removed")
    func names() throws {
        var registry = Registry()
        _ = registry.add(self.node(1))
        let (one, two) = (self.spec("a"), self.spec("a"))
        try registry.reserve(one, on: PeerID(1))
        let taken = self.refusal { try registry.reserve(two, on: PeerID(1)) }
        #expect(taken?.code == .nameTaken)
        #expect(taken?.message.contains("findOrSpawn") == true)
        try registry.reserve(self.spec("a", options: ActorOptions(namespace: "other")), on: PeerID(1))
        #expect(try registry.find(name: "a", namespace: nil)?.state == .starting)
        let lives = registry.started(one.id, at: self.address(5))
        #expect(lives)
        #expect(try registry.find(name: "a", namespace: "default")?.address?.peer == PeerID(5))
        _ = registry.remove(one.id)
        #expect(try registry.find(name: "a", namespace: nil) == nil)
        try registry.reserve(two, on: PeerID(1))
    }

    @Test("a name must say something, and not too much")
    func badNames() {
        var registry = Registry()
        #expect(self.refusal { try registry.reserve(self.spec(""), on: PeerID(1)) }?.code == .invalidArgument)
        let long = String(repeating: "x", count: 513)
        #expect(self.refusal { _ = try registry.find(name: long, namespace: nil) }?.code == .invalidArgument)
    }

    @Test("an actor that was killed while it started does not live")
    func killedEarly() throws {
        var registry = Registry()
        let spec = self.spec("a")
        try registry.reserve(spec, on: PeerID(1))
        _ = registry.remove(spec.id)
        let lives = registry.started(spec.id, at: self.address(5))
        #expect(!lives)
    }

    @Test("an actor goes to a node that has its program and room, the one with the fewest actors first")
    func placement() throws {
        var registry = Registry()
        _ = registry.add(self.node(1))
        _ = registry.add(self.node(2))
        _ = registry.add(self.node(3, programs: ["other"]))
        #expect(try registry.place(self.spec()).registration.name == "node1")
        try registry.reserve(self.spec(), on: PeerID(1))
        #expect(try registry.place(self.spec()).registration.name == "node2")
        #expect(try registry.place(self.spec(options: ActorOptions(node: "node1"))).registration.name == "node1")
        #expect(try registry.place(self.spec(program: "other")).registration.name == "node3")
    }

    @Test("an actor of the library's own types goes to any node when none has its program")
    func libraryTypes() throws {
        var registry = Registry()
        _ = registry.add(self.node(1, programs: ["mesh"]))
        let messages = self.spec(type: "ActorMesh.MessageActor")
        #expect(try registry.place(messages).registration.name == "node1")
        _ = registry.add(self.node(2))
        #expect(try registry.place(messages).registration.name == "node2")
    }

    @Test("what cannot be placed is told with what there is")
    func refusals() throws {
        var registry = Registry()
        #expect(self.refusal { _ = try registry.place(self.spec()) }?.code == .insufficientResources)
        _ = registry.add(self.node(1))
        let program = self.refusal { _ = try registry.place(self.spec(program: "other")) }
        #expect(program?.code == .typeNotFound)
        #expect(program?.message.contains("the nodes run: app") == true)
        let large = ActorOptions(resources: Resources(cpus: 3, gpus: 1))
        let room = self.refusal { _ = try registry.place(self.spec(options: large)) }
        #expect(room?.code == .insufficientResources)
        #expect(room?.message.contains("needs 3.0 cpus, the largest node has 2.0; it needs 1.0 gpus") == true)
        let name = self.refusal { _ = try registry.place(self.spec(options: ActorOptions(node: "node9"))) }
        #expect(name?.code == .invalidArgument)
        #expect(name?.message.contains("node1") == true)
    }

    @Test("the end of a node frees the names of its actors and tells which they were")
    func nodeEnds() throws {
        var registry = Registry()
        _ = registry.add(self.node(1))
        try registry.reserve(self.spec("a"), on: PeerID(1))
        let lost = registry.removeNode(PeerID(1)).map(\.spec.options.name)
        #expect(lost == ["a"])
        #expect(try registry.find(name: "a", namespace: nil) == nil)
        let again = registry.removeNode(PeerID(1))
        #expect(again.isEmpty)
    }

    @Test("a process owns what it spawned, except what is detached")
    func owners() throws {
        var registry = Registry()
        let (owned, detached) = (self.spec("a"), self.spec("b", options: ActorOptions(lifetime: .detached)))
        for spec in [owned, detached, self.spec("c", owner: 7)] { try registry.reserve(spec, on: PeerID(1)) }
        #expect(registry.owned(by: PeerID(99)) == [owned.id])
    }

    @Test("a node that comes back keeps its actors, and a name that has gone to another is refused")
    func adoption() throws {
        var registry = Registry()
        _ = registry.add(self.node(1))
        let (one, two) = (self.spec("a"), self.spec("a"))
        try registry.adopt(one, on: PeerID(1), at: self.address(5))
        #expect(try registry.find(name: "a", namespace: nil)?.state == .alive)
        let known = registry.add(self.node(1))
        #expect(known == [one.id])
        try registry.adopt(one, on: PeerID(1), at: self.address(5))
        #expect(registry.nodes[PeerID(1)]?.actors == [one.id])
        #expect(self.refusal { try registry.adopt(two, on: PeerID(1), at: self.address(6)) }?.code == .nameTaken)
    }
}
