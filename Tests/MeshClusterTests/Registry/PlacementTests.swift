import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite("The registry: placement")
struct PlacementTests {
    typealias Harness = RegistryHarness

    @Test("an actor goes to a node that has its program and room, the one with the fewest actors first")
    func placement() throws {
        var harness = Harness()
        harness.join(PeerID(3), programs: ["other"])
        #expect(try harness.place(Harness.spec()) == "node1")
        try harness.spawn(Harness.spec())
        #expect(try harness.place(Harness.spec()) == "node2")
        let here = ActorOptions(node: "node1")
        #expect(try harness.place(Harness.spec(options: here)) == "node1")
        #expect(try harness.place(Harness.spec(program: "other")) == "node3")
    }

    @Test("an actor of the library's own types goes to any node when none has its program")
    func libraryTypes() throws {
        var harness = Harness(nodes: [])
        harness.join(PeerID(1), programs: ["mesh"])
        let messages = Harness.spec(type: "ActorMesh.MessageActor")
        #expect(try harness.place(messages) == "node1")
        harness.join(PeerID(2))
        #expect(try harness.place(messages) == "node2")
    }

    @Test("what cannot be placed is told with what there is")
    func refusals() throws {
        var harness = Harness(nodes: [])
        #expect(refusal { _ = try harness.place(Harness.spec()) }?.code == .insufficientResources)
        harness.join(PeerID(1))
        let program = refusal { _ = try harness.place(Harness.spec(program: "other")) }
        #expect(program?.code == .typeNotFound)
        #expect(program?.message.contains("the nodes run: app") == true)
        let large = ActorOptions(resources: Resources(cpus: 3, gpus: 1))
        let room = refusal { try harness.spawn(Harness.spec("a", options: large)) }
        #expect(room?.code == .insufficientResources)
        #expect(room?.message.contains("needs 3 cpus, the largest node has 2; it needs 1 gpu") == true)
        #expect(try harness.registry.find(name: "a", namespace: nil) == nil, "what was refused leaves nothing behind")
        let name = refusal { _ = try harness.place(Harness.spec(options: ActorOptions(node: "node9"))) }
        #expect(name?.code == .invalidArgument)
        #expect(name?.message.contains("node1") == true)
    }
}
