import MeshCluster
import MeshCore
import MeshRuntime
import MeshTransportInProcess
import Testing

/// Actors, leases and placement groups come and go at random, nodes and processes are lost, brokers begin anew.
@Suite("The registry: resources at random")
struct RandomResourcesTests {
    typealias Harness = RegistryHarness

    private struct Scene {
        var harness = Harness(nodes: [])
        var random: SeededGenerator
        var nextID: UInt64 = 1
        var nextPeer: UInt64 = 1
        var actors: [ActorSpec] = []
        var leases: [UniqueID] = []
        var groups: [PlacementGroup] = []

        init(seed: UInt64) { self.random = SeededGenerator(seed: seed) }

        mutating func id() -> UniqueID {
            defer { self.nextID += 1 }
            return UniqueID(high: 3, low: 2 * self.nextID)
        }

        mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &self.random) }

        mutating func resources() -> Resources {
            Resources(
                cpus: self.pick([0.5, 1, 2, 3]) ?? 1, gpus: self.pick([0, 0, 0.25, 0.5, 1, 2]) ?? 0,
                custom: self.pick([[:], [:], ["license": 1]]) ?? [:])
        }

        mutating func join() {
            let peer = PeerID(self.nextPeer)
            self.nextPeer += 1
            let resources = Resources(
                cpus: self.pick([2, 4, 8]) ?? 4, gpus: self.pick([0, 1, 2, 4]) ?? 0,
                custom: ["license": self.pick([0, 1, 3]) ?? 0])
            self.harness.note { registry, now in
                _ = registry.add(Harness.registration(peer, resources: resources), actors: [], at: now)
            }
        }

        mutating func step() throws {
            switch Int.random(in: 0..<24, using: &self.random) {
            case 0..<8: try self.spawn()
            case 8..<12:
                if let spec = self.pick(self.actors) {
                    self.harness.note { $0.kill(spec.id, restart: false, by: "", at: $1) }
                }
            case 12: if let process = self.process() { self.harness.crash(process) }
            case 13..<16: try self.lease()
            case 16, 17:
                if let id = self.pick(self.leases) { self.harness.note { registry, _ in registry.endLease(id) } }
            case 18, 19: try self.group()
            case 20: if let group = self.pick(self.groups) { self.harness.note { $0.removeGroup(group.id, at: $1) } }
            case 21: self.join()
            case 22:
                let nodes = self.harness.registry.nodes.keys.sorted { $0.number < $1.number }
                if nodes.count > 1, let node = self.pick(nodes) { self.harness.crash(node) }
            default: self.harness.pass(.milliseconds(200))
            }
            for lease in self.leases { self.begin(lease) }
            self.harness.settle()
            for spec in self.actors where self.harness.entry(spec)?.phase == .starting {
                if let spec = self.harness.entry(spec)?.spec { self.harness.start(spec) }
            }
            self.harness.settle()
        }

        private mutating func process() -> PeerID? {
            let actors = self.actors
            return self.pick(actors).flatMap { self.harness.entry($0)?.address?.peer }
        }

        private mutating func spawn() throws {
            var options = ActorOptions(
                maxRestarts: self.pick([0, 2]) ?? 0, resources: self.resources(),
                strategy: self.pick([.pack, .spread, nil]) ?? nil)
            if let group = self.pick(self.groups), Bool.random(using: &self.random) {
                options.placementGroup = group
                options.bundle = self.pick([nil, 0, 1]) ?? nil
            }
            let spec = Harness.spec(options: options)
            do {
                try self.harness.note { registry, now in
                    _ = try registry.spawn(spec, holder: Harness.driver, at: now)
                }
                self.actors.append(spec)
            } catch let error as MeshError where [.insufficientResources, .invalidArgument].contains(error.code) {}
        }

        private mutating func lease() throws {
            let id = self.id()
            let request = try PlacementRequest(program: "app", displayType: "app.W", resources: self.resources())
            do {
                try self.harness.note { registry, _ in try registry.requestLease(id, request, for: Harness.driver) }
                self.leases.append(id)
            } catch let error as MeshError where error.code == .insufficientResources {}
        }

        private mutating func begin(_ id: UniqueID) {
            guard let lease = self.harness.registry.leases[id], lease.node != nil, lease.worker == nil else { return }
            let worker = PeerID(100_000 + id.low)
            self.harness.note { registry, _ in _ = registry.begin(id, in: worker) }
        }

        private mutating func group() throws {
            let bundles = (0..<Int.random(in: 1...3, using: &self.random)).map { _ in self.resources() }
            let strategies: [PlacementGroup.Strategy] = [.strictPack, .pack, .spread, .strictSpread]
            let spec = PlacementGroupSpec(
                id: self.id(), bundles: bundles, strategy: self.pick(strategies) ?? .pack, lifetime: .owned,
                owner: ActorOwner(process: Harness.driver), program: "app")
            do {
                try self.harness.note { registry, _ in try registry.addGroup(spec) }
                self.groups.append(PlacementGroup(id: spec.id, count: bundles.count))
            } catch let error as MeshError where error.code == .insufficientResources {}
        }

        /// What somebody has or waits for who is not there any more, and more.
        var contradictions: [String] {
            self.harness.registry.contradictions(at: self.harness.moment) + self.groupContradictions
        }

        /// Bundles lie as their strategy says, all of them somewhere or waiting.
        private var groupContradictions: [String] {
            self.harness.registry.groups.values.compactMap { group in
                let nodes = group.bundles.compactMap(\.node)
                let isRight =
                    switch group.spec.strategy {
                    case .strictPack: Set(nodes).count <= 1
                    case .strictSpread: Set(nodes).count == nodes.count
                    case .pack, .spread: true
                    }
                return isRight ? nil : "\(group.spec.strategy) lies on \(nodes)"
            }
        }
    }

    @Test(
        "nobody has more than there is, nobody waits for what is free, and in the end nothing is taken",
        arguments: 0..<60)
    func schedules(seed: Int) throws {
        var scene = Scene(seed: UInt64(seed))
        scene.join()
        scene.join()
        for count in 0..<150 {
            try scene.step()
            let found = scene.contradictions
            if !found.isEmpty { return #expect(found == [], "after \(count) steps of seed \(seed)") }
        }
        scene.harness.crash(Harness.driver)
        scene.harness.pass(.seconds(30))
        for lease in scene.leases { scene.harness.note { registry, _ in registry.endLease(lease) } }
        scene.harness.settle()
        #expect(scene.contradictions == [])
        #expect(scene.harness.registry.entries.isEmpty && scene.harness.registry.groups.isEmpty)
        #expect(scene.harness.registry.queue.isEmpty)
        for node in scene.harness.registry.nodes.values { #expect(node.pool.used.isZero) }
    }

    @Test("another broker, with what was written, has the same groups and the same accounts", arguments: 0..<20)
    func otherBroker(seed: Int) throws {
        var scene = Scene(seed: UInt64(seed) + 1000)
        for _ in 0..<3 { scene.join() }
        for _ in 0..<40 { try scene.step() }
        // Leases are told by the nodes; here there are none.
        for lease in scene.leases { scene.harness.note { registry, _ in registry.endLease(lease) } }
        scene.harness.settle()
        let old = scene.harness.registry
        var later = Harness(nodes: [])
        later.registry = Registry(
            records: old.entries.keys.compactMap { old.record(of: $0) }, groups: old.groupRecords, terminations: [],
            patience: { _ in 5_000_000_000 }, at: later.moment)
        for (_, node) in old.nodes.sorted(by: { $0.key.number < $1.key.number }) {
            let hosted = node.actors.compactMap { id in
                old.entries[id].flatMap { entry in entry.address.map { HostedSpec(spec: entry.spec, address: $0) } }
            }
            later.note { registry, now in _ = registry.add(node.registration, actors: hosted, at: now) }
        }
        #expect(later.registry.contradictions(at: later.moment) == [])
        for (peer, node) in old.nodes {
            for (claimant, grant) in node.pool.grants {
                guard case .actor(let id) = claimant, old.entries[id]?.phase == .alive else { continue }
                #expect(later.registry.nodes[peer]?.pool.grants[claimant] == grant)
            }
        }
        for (id, group) in old.groups where !group.isLeaving {
            for (index, bundle) in group.bundles.enumerated() where bundle.node != nil {
                #expect(later.registry.groups[id]?.bundles[index].node == bundle.node)
                #expect(
                    later.registry.groups[id]?.bundles[index].pool?.gpus.slots.map(\.id)
                        == bundle.pool?.gpus.slots.map(\.id))
            }
        }
    }
}
