import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite("The registry: supervision")
struct SupervisionTests {
    typealias Harness = RegistryHarness

    @Test("one for one starts only the one that died again, by the supervision and not by its own restarts")
    func oneForOne() throws {
        var family = try Family(.init(strategy: .oneForOne))
        family.crash(1)
        #expect(family.harness.effects.filter(\.isEnd).isEmpty)
        family.harness.settle()
        #expect(family.incarnations == [1, 2, 1])
        #expect(family.areAlive)
    }

    @Test(
        "the others of the group are ended, the youngest first, and all are started in the order of their making",
        arguments: [(Supervision.Strategy.oneForAll, [0, 1, 2]), (.restForOne, [1, 2])])
    func groups(strategy: Supervision.Strategy, group: [Int]) throws {
        var family = try Family(.init(strategy: strategy))
        family.crash(1)
        let others = group.filter { $0 != 1 }
        #expect(family.harness.effects.compactMap(\.ended) == others.reversed().map { family.children[$0].id })
        // Whoever has ended waits for those that are older; in whatever order they end.
        for index in others { family.end(index) }
        for index in group {
            let starts = family.harness.effects.compactMap(\.started)
            #expect(starts.map(\.id) == [family.children[index].id], "one after the other")
            family.harness.effects = []
            if let spec = starts.first { family.start(spec) }
        }
        #expect(family.incarnations == (0..<3).map { group.contains($0) ? 2 : 1 })
        #expect(family.areAlive)
    }

    @Test("one restart more than is borne in the time makes the supervisor give up, with all its children")
    func intensity() throws {
        var family = try Family(.init(maxRestarts: 2, within: .seconds(5), backoff: .none))
        for index in 0..<2 {
            family.crash(index)
            family.harness.settle()
        }
        #expect(family.incarnations == [2, 2, 1])
        family.crash(0)
        family.harness.settle()
        #expect(family.harness.cause(family.supervisor) == .restartsExhausted)
        #expect(family.children.allSatisfy { family.harness.cause($0) == .ownerDied })
        #expect(family.harness.registry.entries.isEmpty)
    }

    @Test("restarts that were long ago do not count")
    func window() throws {
        var family = try Family(.init(maxRestarts: 1, within: .seconds(5), backoff: .none))
        for _ in 0..<4 {
            family.crash(0)
            family.harness.pass(.seconds(6))
        }
        #expect(family.incarnations == [5, 1, 1])
    }

    @Test("restarts in a row wait longer each time")
    func backoff() throws {
        var family = try Family(.init(maxRestarts: 10, within: .seconds(60), backoff: .init(initial: .seconds(1))))
        for wait in [0, 1, 2, 4] {
            family.crash(0)
            family.harness.settle()
            if wait > 0 {
                family.harness.pass(.milliseconds(wait * 1000 - 1))
                #expect(!family.areAlive, "\(wait)")
                family.harness.pass(.milliseconds(1))
            }
            #expect(family.areAlive, "\(wait)")
        }
    }

    @Test("a supervisor that gives up is restarted by its own, and begins without children")
    func escalation() throws {
        var harness = Harness()
        let top = Harness.spec("top", options: ActorOptions(supervision: .init(maxRestarts: 1)))
        let process = try harness.spawn(top)
        var family = try Family(
            .init(maxRestarts: 0), in: harness,
            owner: ActorOwner(process: process, actor: top.id, incarnation: 1))
        family.crash(2)
        family.harness.settle()
        #expect(family.harness.entry(family.supervisor)?.spec.incarnation == 2)
        #expect(family.harness.entry(family.supervisor)?.phase == .alive)
        #expect(family.children.allSatisfy { family.harness.cause($0) == .ownerDied })
        // Once more, and it is too much for the upper one, too.
        family.harness.note { $0.kill(family.supervisor.id, restart: true, by: "", at: $1) }
        family.harness.settle()
        #expect(family.harness.cause(top) == .restartsExhausted)
        #expect(family.harness.registry.entries.isEmpty)
    }

    @Test("a supervisor's own type decides", arguments: [Supervision.Decision.restart, .stop, .escalate])
    func decisions(decision: Supervision.Decision) throws {
        var family = try Family(.init(strategy: .oneForAll), decides: true)
        family.crash(0)
        let question = family.harness.effects.compactMap(\.question).first
        #expect(question?.actor == family.children[0].id)
        #expect(question?.cause == .processCrashed)
        family.harness.effects = []
        family.decide(0, decision)
        family.harness.settle()
        switch decision {
        case .restart: #expect(family.incarnations == [2, 2, 2])
        case .stop:
            #expect(family.incarnations == [nil, 1, 1])
            #expect(family.harness.cause(family.children[0]) == .processCrashed)
        case .escalate:
            #expect(family.harness.cause(family.supervisor) == .restartsExhausted)
            #expect(family.harness.registry.entries.isEmpty)
        }
    }

    @Test("an escalated death is told to the upper supervisor's type")
    func escalatedQuestion() throws {
        var harness = Harness()
        let top = Harness.spec("top", options: ActorOptions(supervision: .init()), isSupervisor: true)
        let process = try harness.spawn(top)
        var family = try Family(
            .init(maxRestarts: 0), in: harness,
            owner: ActorOwner(process: process, actor: top.id, incarnation: 1))
        family.crash(0)
        family.harness.effects.removeAll { !$0.isEnd }
        family.end(family.supervisor)
        let question = family.harness.effects.compactMap(\.question).first
        #expect(question?.actor == family.supervisor.id)
        #expect(question?.cause == .restartsExhausted)
        family.harness.note { $0.decided(family.supervisor.id, incarnation: 1, .stop, at: $1) }
        family.harness.settle()
        #expect(family.harness.cause(family.supervisor) == .restartsExhausted)
        #expect(family.harness.registry.entries.count == 1)
    }

    @Test("a supervisor that dies while it is asked takes the child with it")
    func dyingSupervisor() throws {
        var family = try Family(.init(), decides: true)
        family.crash(0)
        family.harness.crash(family.process)
        family.decide(0, .restart)
        family.harness.settle()
        #expect(family.harness.registry.entries.isEmpty)
        #expect(family.harness.cause(family.children[0]) == .ownerDied)
    }

    @Test("a child that was killed, has exited or was stopped stays dead, and its siblings live on")
    func wantedEnds() throws {
        var family = try Family(.init(strategy: .oneForAll))
        family.harness.note { $0.kill(family.children[0].id, restart: false, by: "", at: $1) }
        family.harness.note { $0.stop(family.children[1].id, within: 1_000_000, at: $1) }
        family.harness.note { $0.exited(family.children[2].id, incarnation: 1, at: $1) }
        family.harness.settle()
        #expect(family.children.map { family.harness.cause($0) } == [.killed, .stopped, .exited])
        #expect(family.harness.entry(family.supervisor)?.phase == .alive)
        #expect(family.harness.entry(family.supervisor)?.children == [])
    }

    @Test("a child that dies while its group is being restarted is restarted with it, once")
    func dyingSibling() throws {
        var family = try Family(.init(strategy: .oneForAll, maxRestarts: 1))
        family.crash(1)
        // The node was told to end it, but it had crashed.
        family.crash(2)
        family.harness.settle()
        #expect(family.incarnations == [2, 2, 2])
        #expect(family.areAlive)
    }

    @Test("a sibling that is killed while the group restarts is left out, and the order of the others stays")
    func killedSibling() throws {
        var family = try Family(.init(strategy: .oneForAll))
        family.crash(0)
        family.end(2)
        family.end(1)
        #expect(family.harness.effects.compactMap(\.started).map(\.id) == [family.children[0].id])
        family.harness.note { $0.kill(family.children[1].id, restart: false, by: "", at: $1) }
        #expect(family.harness.cause(family.children[1]) == .killed)
        #expect(
            family.harness.effects.compactMap(\.started).map(\.id) == [family.children[0].id],
            "the third waits for the first now")
        family.harness.settle()
        #expect(family.incarnations == [2, nil, 2])
        #expect(family.areAlive)
    }

    @Test("a sibling that is being ended for good is not started again, nor waited for")
    func endingSibling() throws {
        var family = try Family(.init(strategy: .oneForAll))
        family.harness.note { $0.stop(family.children[1].id, within: 60_000_000_000, at: $1) }
        family.crash(0)
        family.end(2)
        for _ in 0..<2 {
            if let spec = family.harness.effects.compactMap(\.started).last { family.start(spec) }
        }
        #expect(family.incarnations == [2, 1, 2])
        family.end(1)
        #expect(family.harness.cause(family.children[1]) == .stopped)
    }

    @Test("a sibling that is being made for the first time is left to that")
    func startingSibling() throws {
        var family = try Family(.init(strategy: .oneForAll))
        let late = Harness.spec("late", owner: family.owner)
        let spec = try family.harness.note { registry, now in try registry.spawn(late, holder: Harness.driver, at: now)
        }
        family.crash(0)
        family.harness.settle()
        family.start(spec)
        #expect(family.harness.entry(late)?.phase == .alive)
        #expect(family.harness.entry(late)?.spec.incarnation == 1)
        #expect(family.incarnations == [2, 2, 2])
    }

    @Test("a child that cannot be started again counts as having died again")
    func failingRestart() throws {
        var family = try Family(.init(strategy: .oneForAll, maxRestarts: 2, backoff: .none))
        for index in 1...2 { family.end(index, after: { $0.crash(0) }) }
        let death = Registry.Death(.constructorFailed, "Its initialiser failed.")
        let id = family.children[0].id
        family.harness.note { $0.startFailed(id, incarnation: 2, death, at: $1) }
        let starts = family.harness.effects.compactMap(\.started)
        #expect(starts.last?.id == id)
        #expect(starts.last?.incarnation == 3)
        family.harness.note { $0.startFailed(id, incarnation: 3, death, at: $1) }
        family.harness.settle()
        #expect(family.harness.cause(family.supervisor) == .restartsExhausted)
        #expect(family.harness.registry.entries.isEmpty)
    }

    @Test("one for all bears a node that is lost with all of the children as one death")
    func groupOnLostNode() throws {
        var family = try Family(.init(strategy: .oneForAll, maxRestarts: 1), node: "node1")
        family.harness.crash(PeerID(1))
        family.harness.settle()
        #expect(family.harness.registry.waitingReason(of: family.children[0].id)?.contains("node1") == true)
        family.harness.join(PeerID(1))
        family.harness.settle()
        #expect(family.incarnations == [2, 2, 2])
        #expect(family.areAlive)
    }
}

/// A supervisor with three children, `c0`, `c1` and `c2`.
private struct Family: CustomStringConvertible {
    typealias Harness = RegistryHarness

    var harness: Harness
    let supervisor: ActorSpec
    /// The process in which the supervisor lives.
    let process: PeerID
    private(set) var children: [ActorSpec] = []

    init(
        _ supervision: Supervision, decides: Bool = false, in harness: Harness = Harness(),
        owner: ActorOwner = ActorOwner(process: RegistryHarness.driver), node: String? = nil
    ) throws {
        self.harness = harness
        let options = ActorOptions(node: node == nil ? nil : "node2", supervision: supervision)
        self.supervisor = Harness.spec("supervisor", options: options, owner: owner, isSupervisor: decides)
        self.process = try self.harness.spawn(self.supervisor)
        for index in 0..<3 {
            let child = Harness.spec("c\(index)", options: ActorOptions(node: node), owner: self.owner)
            try self.harness.spawn(child)
            self.children.append(child)
        }
        self.harness.effects = []
    }

    var description: String { self.harness.description }

    var owner: ActorOwner { ActorOwner(process: self.process, actor: self.supervisor.id, incarnation: 1) }

    var incarnations: [UInt64?] { self.children.map { self.harness.entry($0)?.spec.incarnation } }

    var areAlive: Bool { self.children.allSatisfy { [nil, .alive].contains(self.harness.entry($0)?.phase) } }

    /// A child's process crashes.
    mutating func crash(_ index: Int) {
        guard let process = self.harness.entry(self.children[index])?.address?.peer else { return }
        self.harness.crash(process)
    }

    /// A child's node says that it has ended.
    mutating func end(_ index: Int, after change: (inout Family) -> Void = { _ in }) {
        change(&self)
        self.end(self.children[index])
    }

    mutating func end(_ spec: ActorSpec) {
        guard let incarnation = self.harness.entry(spec)?.spec.incarnation else { return }
        self.harness.note { $0.ended(spec.id, incarnation: incarnation, process: nil, at: $1) }
    }

    mutating func start(_ spec: ActorSpec) { self.harness.start(spec) }

    mutating func decide(_ index: Int, _ decision: Supervision.Decision) {
        let id = self.children[index].id
        self.harness.note { $0.decided(id, incarnation: 1, decision, at: $1) }
    }
}

extension Effect {
    fileprivate var isEnd: Bool { self.ended != nil }

    fileprivate var ended: UniqueID? { if case .end(let id, _, _, _, _) = self { id } else { nil } }

    fileprivate var started: ActorSpec? { if case .start(let spec, _) = self { spec } else { nil } }

    fileprivate var question: ActorTermination? { if case .ask(_, _, _, let child) = self { child } else { nil } }
}

extension Backoff {
    fileprivate static let none = Backoff(initial: .zero, maximum: .zero)
}
