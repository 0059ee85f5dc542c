import FoundationEssentials
import MeshCluster
import MeshCore
import MeshRuntime

/// A registry with two nodes and a clock, and the effects that it asked for and nobody has done yet.
struct RegistryHarness {
    var registry = Registry(settings: Registry.Settings(drainTime: 5_000_000_000))
    var time: UInt64 = 1_000_000_000
    var effects: [Effect] = []
    private var nextProcess: UInt64 = 1000

    static let driver = PeerID(99)
    static let nodes = [PeerID(1), PeerID(2)]

    init(nodes: [PeerID] = nodes) {
        for node in nodes { self.join(node) }
    }

    var moment: Moment { Moment(time: self.time, date: Date(timeIntervalSince1970: Double(self.time) / 1e9)) }

    static func address(_ peer: PeerID) -> PeerAddress {
        PeerAddress(peer: peer, host: HostID("here"), processID: Int32(peer.number), startTime: 1, endpoints: [])
    }

    static func registration(
        _ peer: PeerID, programs: [String] = ["app"], cpus: Double = 2, resources: Resources? = nil
    ) -> NodeRegistration {
        NodeRegistration(
            name: "node\(peer.number)", address: self.address(peer), programs: programs,
            resources: resources ?? Resources(cpus: cpus))
    }

    static func spec(
        _ name: String? = nil, options: ActorOptions = ActorOptions(), type: String = "app.Counter",
        program: String = "app", owner: ActorOwner = ActorOwner(process: driver), isSupervisor: Bool = false
    ) -> ActorSpec {
        var options = options
        options.name = name ?? options.name
        return ActorSpec(
            id: .make(), typeName: type, displayType: type, program: program, arguments: EncodedValue(),
            options: options,
            window: 1, owner: owner, isSupervisor: isSupervisor)
    }

    /// A node joins, with what it has. Returns what it has to end.
    @discardableResult
    mutating func join(_ node: PeerID, programs: [String] = ["app"], actors: [HostedSpec] = []) -> [ActorLife] {
        self.note { $0.add(Self.registration(node, programs: programs), actors: actors, at: $1) }
    }

    mutating func collect() {
        self.registry.placeWaiting()
        self.effects += self.registry.takeEffects()
    }

    /// The name of the node on which an actor would be put now.
    func place(_ spec: ActorSpec) throws -> String? {
        var registry = self.registry
        let spec = try registry.spawn(spec, holder: nil, at: self.moment)
        return registry.entries[spec.id]?.nodeName
    }

    /// Does something and collects what follows.
    @discardableResult
    mutating func note<Result>(_ body: (inout Registry, Moment) throws -> Result) rethrows -> Result {
        defer { self.collect() }
        return try body(&self.registry, self.moment)
    }

    /// Spawns an actor and has it started.
    @discardableResult
    mutating func spawn(_ spec: ActorSpec, holder: PeerID? = driver) throws -> PeerID {
        let spec = try self.note { registry, now in try registry.spawn(spec, holder: holder, at: now) }
        return self.start(spec)
    }

    /// Has an actor's initialiser end in a process of its own. Returns the process.
    @discardableResult
    mutating func start(_ spec: ActorSpec) -> PeerID {
        let process = PeerID(self.nextProcess)
        self.nextProcess += 1
        guard let node = self.registry.entries[spec.id]?.node else { return process }
        self.note { registry, now in
            registry.started(
                spec.id, incarnation: spec.incarnation, at: Self.address(process), on: node, at: now)
        }
        return process
    }

    /// Does every effect that is there as a well-behaved mesh would, until there is none.
    mutating func settle() {
        while !self.effects.isEmpty {
            switch self.effects.removeFirst() {
            case .start(let spec, _): self.start(spec)
            case .end(let id, let incarnation, _, _, _):
                self.note { $0.ended(id, incarnation: incarnation, process: nil, at: $1) }
            case .awaitIdle(let id, let incarnation, _):
                self.note { $0.idle(id, incarnation: incarnation, isHeld: false, at: $1) }
            case .ask(_, _, _, let child):
                self.note { $0.decided(child.actor, incarnation: child.incarnation, .restart, at: $1) }
            case .changed, .event, .reclaim, .objectsFree: break
            }
        }
    }

    /// Lets time pass, doing what becomes due.
    mutating func pass(_ duration: Duration) {
        let end = self.time + duration.nanoseconds
        while let due = self.registry.nextDue, due <= end {
            self.time = max(due, self.time)
            self.note { $0.tick(at: $1) }
            self.settle()
        }
        self.time = end
        self.note { $0.tick(at: $1) }
        self.settle()
    }

    /// A process ends by itself.
    mutating func crash(_ process: PeerID) {
        let death = Registry.Death(.processCrashed, "Its process crashed.")
        self.note { $0.lost(process, death, at: $1) }
    }

    func entry(_ spec: ActorSpec) -> Registry.Entry? { self.registry.entries[spec.id] }
    func cause(_ spec: ActorSpec) -> ActorTermination.Cause? { self.registry.terminations[spec.id]?.cause }
}

extension RegistryHarness: CustomStringConvertible {
    var description: String {
        let entries = self.registry.entries.values.sorted { $0.order < $1.order }
        return "\(self.time): " + entries.map { "\($0.spec.label) \($0.phase)" }.joined(separator: ", ")
    }
}

/// What a body throws, when it is an error of the mesh.
func refusal<Result>(_ body: () throws -> Result) -> MeshError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? MeshError
    }
}
