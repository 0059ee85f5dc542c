import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite("The registry: those who wait for resources")
struct WaitingTests {
    typealias Harness = RegistryHarness

    private static func harness(_ nodes: Resources...) -> Harness {
        var harness = Harness(nodes: [])
        for (index, resources) in nodes.enumerated() {
            harness.note { registry, now in
                _ = registry.add(
                    Harness.registration(PeerID(UInt64(index) + 1), resources: resources), actors: [], at: now)
            }
        }
        return harness
    }

    private static func spec(
        _ name: String, _ cpus: Double = 0, gpus: Double = 0, license: Double = 0, node: String? = nil,
        restarts: Limit = 0, strategy: PlacementStrategy? = nil, timeout: Duration? = nil
    ) -> ActorSpec {
        let resources = Resources(cpus: cpus, gpus: gpus, custom: license > 0 ? ["license": license] : [:])
        let options = ActorOptions(
            maxRestarts: restarts, resources: resources, node: node, strategy: strategy, placementTimeout: timeout)
        return Harness.spec(name, options: options)
    }

    private func isPending(_ spec: ActorSpec, in harness: Harness) -> Bool {
        harness.entry(spec)?.phase.kind == "pending" && harness.registry.queue.contains(.actor(spec.id))
    }

    private func used(_ harness: Harness, _ node: UInt64 = 1) -> ResourceAmounts? {
        harness.registry.nodes[PeerID(node)]?.pool.used
    }

    private func expectConsistent(_ harness: Harness, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(harness.registry.contradictions(at: harness.moment) == [], sourceLocation: sourceLocation)
    }

    @Test("the fifth actor with one CPU waits on four, says for what, and starts when one ends")
    func fifth() throws {
        var harness = Self.harness(Resources(cpus: 4))
        let specs = (0..<5).map { Self.spec("a\($0)", 1) }
        for spec in specs { try harness.spawn(spec) }
        #expect(self.isPending(specs[4], in: harness))
        #expect(harness.registry.waitingReason(of: specs[4].id) == "1 cpu; node1 has 0 of 4 free")
        #expect(self.used(harness)?.cpus == 40_000)
        harness.note { $0.kill(specs[1].id, restart: false, by: "", at: $1) }
        #expect(self.isPending(specs[4], in: harness), "what the dying one has is not free yet")
        harness.settle()
        #expect(harness.entry(specs[4])?.phase == .starting)
        #expect(self.used(harness)?.cpus == 40_000)
        self.expectConsistent(harness)
    }

    @Test("actors that say nothing of resources are placed at once, have nothing, and need one CPU in all")
    func defaults() throws {
        var harness = Self.harness(Resources(cpus: 1))
        let full = Self.spec("full", 1)
        try harness.spawn(full)
        for number in 0..<8 {
            let spec = Harness.spec("b\(number)")
            try harness.spawn(spec)
            #expect(harness.entry(spec)?.phase == .alive)
        }
        #expect(self.used(harness)?.cpus == 10_000)
        var small = Self.harness(Resources(cpus: 0.5))
        let error = refusal { try small.spawn(Harness.spec("c")) }
        #expect(error?.code == .insufficientResources)
        #expect(error?.message.contains("it needs 1 cpu, the largest node has 0.5") == true)
    }

    @Test("what no node could ever give is refused at once, with what is missing")
    func never() throws {
        var harness = Self.harness(Resources(cpus: 4, gpus: 2), Resources(cpus: 8, custom: ["license": 1]))
        let cases: [(ActorSpec, MeshError.Code, String)] = [
            (Self.spec("a", gpus: 3), .insufficientResources, "it needs 3 gpus, the largest node has 2"),
            (Self.spec("b", license: 2), .insufficientResources, "it needs 2 license, the largest node has 1"),
            (Self.spec("c", 8, gpus: 1), .insufficientResources, "no single node has all of it"),
            (Self.spec("d", gpus: 1.5), .invalidArgument, "1.5 gpus cannot be had"),
            (Self.spec("e", -1), .invalidArgument, "-1.0 cpus make no sense"),
            (Self.spec("f", 1, node: "node9"), .invalidArgument, "No node is called"),
        ]
        for (spec, code, message) in cases {
            let error = refusal { try harness.spawn(spec) }
            #expect(error?.code == code)
            #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
            #expect(harness.entry(spec) == nil)
        }
        let unknown = Harness.spec("g", options: ActorOptions(resources: Resources(custom: ["tape": 1])))
        let error = refusal { try harness.spawn(unknown) }
        #expect(error?.message.contains("it needs 1 tape, which no node has; there is: license") == true)
        #expect(try harness.registry.find(name: "a", namespace: nil) == nil && harness.registry.queue.isEmpty)
    }

    @Test("one who needs much is not passed for ever by those who need little")
    func fairness() throws {
        var harness = Self.harness(Resources(cpus: 4))
        let small = (0..<4).map { Self.spec("s\($0)", 1) }
        for spec in small { try harness.spawn(spec) }
        let big = Self.spec("big", 4)
        let late = (0..<4).map { Self.spec("l\($0)", 1) }
        for spec in [big] + late { try harness.spawn(spec) }
        for spec in small {
            #expect(late.allSatisfy { self.isPending($0, in: harness) })
            harness.note { $0.kill(spec.id, restart: false, by: "", at: $1) }
            harness.settle()
        }
        #expect(harness.entry(big)?.phase == .starting)
        #expect(late.allSatisfy { self.isPending($0, in: harness) })
        self.expectConsistent(harness)
    }

    @Test("those who need little are not held up by one who waits for what they do not need, or for another node")
    func notHeldUp() throws {
        var harness = Self.harness(Resources(cpus: 4, gpus: 1), Resources(cpus: 2))
        try harness.spawn(Self.spec("gpu", gpus: 1))
        let big = Self.spec("big", 1, gpus: 1)
        try harness.spawn(big)
        #expect(self.isPending(big, in: harness))
        // It keeps one CPU of node1 for itself; the other five are free.
        let small = (0..<6).map { Self.spec("s\($0)", 1) }
        for spec in small { try harness.spawn(spec) }
        #expect(small.prefix(5).allSatisfy { harness.entry($0)?.phase == .alive })
        #expect(self.isPending(small[5], in: harness))
        let reason = harness.registry.waitingReason(of: small[5].id)
        #expect(reason == "1 cpu; node1 is kept for those who came before; node2 has 0 of 2 free")
        self.expectConsistent(harness)
    }

    @Test("an actor that is started again has its resources once, and stands before those who came later")
    func restart() throws {
        var harness = Self.harness(Resources(cpus: 2, gpus: 2))
        let one = Self.spec("one", 1, gpus: 2, restarts: .unlimited)
        let process = try harness.spawn(one)
        #expect(harness.entry(one)?.spec.gpuIDs == [0, 1])
        let other = Self.spec("other", gpus: 1)
        try harness.spawn(other)
        harness.crash(process)
        harness.pass(.seconds(10))
        #expect(harness.entry(one)?.spec.incarnation == 2 && harness.entry(one)?.phase == .alive)
        #expect(self.isPending(other, in: harness))
        #expect(self.used(harness)?.gpus == 20_000 && self.used(harness)?.cpus == 10_000)
        harness.note { $0.kill(one.id, restart: false, by: "", at: $1) }
        harness.settle()
        #expect(harness.entry(other)?.spec.gpuIDs == [0])
        self.expectConsistent(harness)
    }

    @Test("one who waits and is killed, or whose owner ends, leaves the line")
    func leaving() throws {
        var harness = Self.harness(Resources(cpus: 1))
        try harness.spawn(Harness.spec("x", options: ActorOptions(lifetime: .detached, resources: Resources(cpus: 1))))
        let (killed, owned, last) = (Self.spec("killed", 1), Self.spec("owned", 1), Self.spec("last", 1))
        for spec in [killed, owned] { try harness.spawn(spec) }
        let detached = Harness.spec(
            "last", options: ActorOptions(lifetime: .detached, resources: last.options.resources))
        try harness.spawn(detached)
        harness.note { $0.kill(killed.id, restart: false, by: "", at: $1) }
        #expect(harness.cause(killed) == .killed)
        harness.crash(Harness.driver)
        #expect(harness.cause(owned) == .ownerDied)
        #expect(harness.registry.queue.count == 1 && self.isPending(detached, in: harness))
        self.expectConsistent(harness)
    }

    @Test("one who was not placed in time ends, and says what it waited for")
    func timeout() throws {
        var harness = Self.harness(Resources(cpus: 1))
        try harness.spawn(Self.spec("x", 1))
        let late = Self.spec("late", 1, timeout: .seconds(2))
        try harness.spawn(late)
        harness.pass(.seconds(1))
        #expect(self.isPending(late, in: harness))
        harness.pass(.seconds(2))
        #expect(harness.cause(late) == .notPlaced)
        #expect(
            harness.registry.terminations[late.id]?.message.contains("waited for 1 cpu; node1 has 0 of 1 free") == true)
        #expect(harness.registry.queue.isEmpty)
    }

    @Test("a node that dies takes what was given with it, and what is to live again waits for another")
    func nodeDies() throws {
        var harness = Self.harness(Resources(cpus: 2), Resources(cpus: 2))
        let one = Self.spec("one", 2, restarts: .unlimited)
        let other = Self.spec("other", 2, restarts: .unlimited)
        for spec in [one, other] { try harness.spawn(spec) }
        let node = try #require(harness.entry(one)?.node)
        harness.note { $0.lost(node, Registry.Death(.nodeLost, "It burned."), at: $1) }
        harness.pass(.seconds(5))
        #expect(harness.entry(one)?.phase.kind == "restarting")
        #expect(harness.registry.waitingReason(of: one.id)?.contains("has 0 of 2 free") == true)
        harness.note { registry, now in
            _ = registry.add(Harness.registration(PeerID(7), resources: Resources(cpus: 2)), actors: [], at: now)
        }
        harness.settle()
        #expect(harness.entry(one)?.node == PeerID(7))
        self.expectConsistent(harness)
    }

    @Test(
        "another broker has the same accounts, from what was written and what the nodes say", arguments: [false, true])
    func otherBroker(isStored: Bool) throws {
        var harness = Self.harness(Resources(cpus: 4, gpus: 2))
        let specs = [Self.spec("a", 1, gpus: 1), Self.spec("b", 0.5, gpus: 0.5), Self.spec("c", 2)]
        var hosted: [HostedSpec] = []
        for spec in specs {
            let process = try harness.spawn(spec)
            hosted.append(
                HostedSpec(spec: try #require(harness.entry(spec)?.spec), address: Harness.address(process)))
        }
        let waiting = Self.spec("d", 4)
        try harness.spawn(waiting)
        let before = try #require(harness.registry.nodes[PeerID(1)]?.pool)
        let records = harness.registry.entries.keys.compactMap { harness.registry.record(of: $0) }
        var later = Harness(nodes: [])
        if isStored {
            later.registry = Registry(
                records: records, terminations: [], patience: { _ in 5_000_000_000 }, at: later.moment)
        } else {
            later.registry.expectReturns(until: 10_000_000_000)
        }
        later.note { registry, now in
            _ = registry.add(
                Harness.registration(PeerID(1), resources: Resources(cpus: 4, gpus: 2)), actors: hosted, at: now)
        }
        #expect(later.registry.nodes[PeerID(1)]?.pool == before)
        #expect(later.registry.entries[waiting.id] == nil, "nobody was told of it")
        self.expectConsistent(later)
    }

    @Test("an actor that ended itself has its GPUs until its process is gone")
    func exit() throws {
        var harness = Self.harness(Resources(cpus: 1, gpus: 1))
        let one = Self.spec("one", gpus: 1)
        let process = try harness.spawn(one)
        harness.note { $0.exited(one.id, incarnation: 1, at: $1) }
        #expect(harness.cause(one) == .exited && self.used(harness)?.gpus == 10_000)
        self.expectConsistent(harness)
        harness.crash(process)
        #expect(self.used(harness)?.isZero == true)
        self.expectConsistent(harness)
    }

    @Test("strategies: pack fills a node, spread takes the emptiest, beside and away look where the other one is")
    func strategies() throws {
        var harness = Self.harness(Resources(cpus: 4), Resources(cpus: 4))
        let first = Self.spec("first", 1)
        try harness.spawn(first)
        let home = try #require(harness.entry(first)?.nodeName)
        let other = home == "node1" ? "node2" : "node1"
        #expect(try harness.place(Self.spec("p", 1, strategy: .pack)) == home)
        #expect(try harness.place(Self.spec("s", 1)) == other)
        #expect(try harness.place(Self.spec("b", 1, strategy: PlacementStrategy(.beside(first.id)))) == home)
        #expect(try harness.place(Self.spec("w", 1, strategy: PlacementStrategy(.away(first.id)))) == other)
        let gone = PlacementStrategy(.beside(UniqueID(high: 9, low: 8)))
        #expect(refusal { try harness.spawn(Self.spec("g", 1, strategy: gone)) }?.code == .actorNotFound)
        let nowhere = Self.spec("n", 1, node: home, strategy: PlacementStrategy(.away(first.id)))
        #expect(refusal { try harness.spawn(nowhere) }?.code == .insufficientResources)
    }

    @Test("a node that joins another broker says what its workers have, and that is theirs until they are gone")
    func adoptedLeases() throws {
        var harness = Harness(nodes: [])
        let resources = Resources(cpus: 2, gpus: 0.5)
        var registration = Harness.registration(PeerID(1), resources: Resources(cpus: 2, gpus: 2))
        let id = UniqueID(high: 2, low: 2)
        registration.leases = [
            HostedLease(id: id, owner: PeerID(50), worker: PeerID(60), resources: resources, gpuIDs: [1])
        ]
        harness.note { [registration] registry, now in
            _ = registry.add(registration, actors: [], workers: [PeerID(60)], at: now)
        }
        #expect(self.used(harness) == (try ResourceAmounts(asked: resources)))
        #expect(harness.registry.nodes[PeerID(1)]?.pool.gpus.slots.map(\.free) == [10_000, 5_000])
        let waiting = Self.spec("waiting", 1, gpus: 2)
        try harness.spawn(waiting)
        self.expectConsistent(harness)
        harness.crash(PeerID(60))
        #expect(harness.entry(waiting)?.spec.gpuIDs == [0, 1] && harness.registry.leases.isEmpty)
        self.expectConsistent(harness)
    }

    @Test("a lease has resources until its worker is back or dead, and goes when whoever wants it does")
    func leases() throws {
        var harness = Self.harness(Resources(cpus: 2, gpus: 1))
        let request = try PlacementRequest(program: "app", displayType: "app.Work", resources: Resources(cpus: 2))
        let ids = (0..<3).map { UniqueID(high: 2, low: 2 * $0) }
        for id in ids {
            try harness.note { registry, _ in try registry.requestLease(id, request, for: PeerID(50)) }
        }
        #expect(harness.registry.leases[ids[0]]?.node == PeerID(1) && harness.registry.queue.count == 2)
        #expect(harness.note { registry, _ in registry.begin(ids[0], in: PeerID(60)) })
        harness.crash(PeerID(60))
        #expect(harness.registry.leases[ids[0]] == nil && harness.registry.leases[ids[1]]?.node == PeerID(1))
        self.expectConsistent(harness)
        harness.crash(PeerID(50))
        #expect(harness.registry.leases.isEmpty && harness.registry.queue.isEmpty && self.used(harness)?.isZero == true)
        let large = try PlacementRequest(program: "app", displayType: "app.Work", resources: Resources(gpus: 2))
        let error = refusal {
            try harness.note { registry, _ in try registry.requestLease(ids[0], large, for: PeerID(51)) }
        }
        #expect(error?.code == .insufficientResources)
        self.expectConsistent(harness)
    }
}
