import FoundationEssentials
import MeshCluster
import MeshCore
import MeshRuntime

/// What programs and fate do.
extension World {
    /// Somebody whose code runs: a driver or an actor.
    private struct Agent {
        var process: PeerID
        var life: ActorLife?
        var host: PeerID?

        var owner: ActorOwner {
            ActorOwner(process: self.process, actor: self.life?.id, incarnation: self.life?.incarnation ?? 0)
        }
    }

    private var agents: [Agent] {
        var agents = self.drivers.filter { !self.isFrozen($0) }.map { Agent(process: $0) }
        for (peer, host) in self.hosts.sorted(by: { $0.key.number < $1.key.number }) {
            for instance in host.instances.values.sorted(by: { $0.spec.id.low < $1.spec.id.low })
            where self.processes[instance.worker] != nil && !self.isFrozen(instance.worker) {
                agents.append(Agent(process: instance.worker, life: instance.spec.life, host: peer))
            }
        }
        return agents
    }

    mutating func act() {
        guard self.actionsLeft > 0 else { return }
        self.actionsLeft -= 1
        if self.actionsLeft > 0 { self.plan(.action, in: self.wait(upTo: self.rules.pause)) }
        let agents = self.agents
        guard let agent = self.pick(agents) else { return self.addDriver() }
        let known = self.processes[agent.process]?.held ?? []
        let actor = self.pick(known)
        switch self.pick(40) {
        case 0..<11: self.spawn(by: agent)
        case 11..<14: self.ask(.find(self.anyName()), by: agent.process)
        case 14..<18:
            guard let actor, let receiver = self.pick(agents)?.process, receiver != agent.process else { return }
            self.pass(actor, from: agent.process, to: receiver)
        case 18..<24:
            if let actor { self.drop(actor, in: agent.process) }
        case 24, 25:
            if let actor { self.ask(.kill(actor, restart: self.chance(2)), by: agent.process) }
        case 26:
            let time = self.wait(upTo: self.chance(2) ? 100_000_000 : 60_000_000_000)
            if let actor { self.ask(.stop(actor, within: time), by: agent.process) }
        case 27:
            if let actor { self.ask(.locate(actor, after: 1), by: agent.process) }
        case 28:
            if let actor { self.ask(.termination(actor), by: agent.process) }
        case 29:
            guard let life = agent.life, let host = agent.host else { return }
            self.exit(life, on: host)
        case 30:
            guard let life = agent.life, let host = agent.host else { return }
            let time = self.time + self.wait(upTo: self.chance(3) ? 3_000_000_000 : 50_000_000)
            self.hosts[host]?.instances[life.id]?.busyUntil = time
        case 31..<35:
            if agent.host != nil { self.endProcess(agent.process) }
        default: self.strike(agent)
        }
    }

    /// Rarer and larger misfortune.
    private mutating func strike(_ agent: Agent) {
        let hosts = self.hosts.keys.sorted { $0.number < $1.number }
        switch self.pick(10) {
        case 0: if let host = self.pick(hosts) { self.crashHost(host) }
        case 1, 2:
            guard self.rules.freezes, let host = self.pick(hosts), !self.isFrozen(host) else { return }
            self.freeze(host, for: self.wait(upTo: 2 * self.rules.leaseTime))
        case 3, 4:
            guard self.rules.freezes else { return }
            self.freeze(agent.process, for: self.wait(upTo: 2 * self.rules.leaseTime))
        case 5: self.addHost()
        case 6: self.addDriver()
        case 7:
            guard agent.host == nil else { return }
            if self.chance(2) { self.ask(.leave, by: agent.process) }
            self.endProcess(agent.process)
        default:
            guard self.rules.brokerCrashes, self.broker.isUp, self.broker.endsIn == nil else { return }
            self.broker.endsIn = self.pick(6)
            self.broker.writesLast = self.chance(2)
        }
    }

    private mutating func anyName() -> String { "n\(self.pick(4))" }

    private mutating func spawn(by agent: Agent) {
        var options = ActorOptions()
        if self.chance(3) { options.name = self.anyName() }
        if self.chance(6) { options.lifetime = .detached }
        if self.chance(3) { options.placement = .shared }
        switch self.pick(4) {
        case 0: options.maxRestarts = .unlimited
        case 1: options.maxRestarts = Limit(1 + self.pick(2))
        default: break
        }
        options.backoff = Backoff(initial: .milliseconds(self.pick(2) * 50), maximum: .milliseconds(400))
        if self.chance(3) {
            let strategies: [Supervision.Strategy] = [.oneForOne, .oneForAll, .restForOne]
            options.supervision = Supervision(
                strategy: strategies[self.pick(3)], maxRestarts: self.pick(4), within: .seconds(1),
                backoff: options.backoff)
        }
        if self.rules.scarcity { self.addNeeds(to: &options, of: agent) }
        let spec = ActorSpec(
            id: UniqueID(high: 1, low: 2 * self.nextActor), typeName: "app.A", displayType: "app.A", program: "app",
            arguments: EncodedValue(), options: options, window: 1, owner: agent.owner,
            isSupervisor: options.supervision != nil && self.chance(2))
        self.nextActor += 1
        let isHeld = !self.chance(10)
        if !isHeld { self.truth.unheld.insert(spec.id) }
        self.ask(.spawn(spec, isHeld: isHeld), by: agent.process)
    }
    private mutating func addNeeds(to options: inout ActorOptions, of agent: Agent) {
        guard !self.chance(3) else { return }
        var needs = Resources()
        needs.cpus = self.pick([0, 0.5, 1, 1, 2, 3]) ?? 0
        if options.placement == .process { needs.gpus = self.pick([0, 0, 0, 0.3, 0.5, 1, 2]) ?? 0 }
        if self.chance(4) { needs.custom = ["license": 1] }
        options.resources = needs
        if self.chance(4) { options.placementTimeout = .milliseconds(self.pick(500)) }
        let others = self.processes[agent.process]?.held ?? []
        switch self.pick(6) {
        case 0: options.strategy = .pack
        case 1: options.strategy = self.pick(others).map { PlacementStrategy(.beside($0)) }
        case 2: options.strategy = self.pick(others).map { PlacementStrategy(.away($0)) }
        default: break
        }
    }
}
