import FoundationEssentials
import MeshCluster
import MeshCore
import MeshRuntime

/// The broker: as thin around the registry as the real one.
struct BrokerModel {
    var registry: Registry
    var leases: MemberLeases
    var isUp = true
    /// Processes that own actors and have not joined again, with the time to give them up.
    var missingOwners: [PeerID: UInt64] = [:]
    /// What was asked of nodes.
    var calls: [UInt64: Call] = [:]
    var waiters: [UniqueID: [Waiter]] = [:]
    var wakesAt: UInt64?
    /// After how many changes it ends, and whether before or after the last is written down.
    var endsIn: Int?
    var writesLast = false

    struct Call {
        var node: PeerID
        var work: Work
    }

    enum Work {
        case start(ActorSpec, for: Client?)
        case end(ActorLife, EndMode)
        case awaitIdle(ActorLife)
        case ask(ActorLife)
    }

    struct Client {
        var process: PeerID
        var call: UInt64
        var isHolder = true
    }

    struct Waiter {
        var client: Client
        var question: Question
        var incarnation: UInt64 = 0
    }

    init(registry: Registry, rules: World.Rules) {
        self.registry = registry
        self.leases = MemberLeases(leaseTime: rules.leaseTime, interval: rules.heartbeat)
    }
}

/// What a broker has written down.
struct Store {
    var records: [UniqueID: Registry.Record] = [:]
    var terminations: [ActorTermination] = []
}

extension World {
    // MARK: The registry and its effects

    /// Tells the registry something; nil when the broker ended over it.
    mutating func tell<Result>(_ change: (inout Registry, Moment) throws -> Result) rethrows -> Result? {
        guard self.broker.isUp else { return nil }
        let era = self.era
        defer { if self.era == era { self.settle() } }
        let result = try change(&self.broker.registry, self.moment)
        return self.endsNow() ? nil : result
    }

    /// Whether the broker ends over what it was just told.
    private mutating func endsNow() -> Bool {
        guard let left = self.broker.endsIn else { return false }
        self.broker.endsIn = left - 1
        guard left == 0 else { return false }
        if self.broker.writesLast { self.write() }
        self.endBroker()
        return true
    }

    private mutating func write() {
        for id in self.broker.registry.takeChanged() {
            self.store.records[id] = self.broker.registry.record(of: id)
            guard self.store.records[id] == nil, let termination = self.broker.registry.terminations[id] else {
                continue
            }
            self.store.terminations.append(termination)
        }
    }

    private mutating func settle() {
        self.broker.registry.placeWaiting()
        if self.rules.brokerCrashes { self.write() }
        for effect in self.broker.registry.takeEffects() { self.begin(effect) }
        if let due = self.broker.registry.nextDue, due < self.broker.wakesAt ?? .max {
            self.broker.wakesAt = due
            self.plan(.registryTick, in: max(due, self.time) - self.time)
        }
    }

    mutating func tickRegistry() {
        guard let time = self.broker.wakesAt, time <= self.time, self.broker.isUp else { return }
        self.broker.wakesAt = nil
        _ = self.tell { $0.tick(at: $1) }
    }

    private mutating func begin(_ effect: Effect) {
        switch effect {
        case .start(let spec, let node):
            self.checkStart(spec)
            self.ask(node, .start(spec), .start(spec, for: nil))
        case .end(let id, let incarnation, let node, let mode, let cause):
            let life = ActorLife(id: id, incarnation: incarnation)
            if cause == .released { self.checkRelease(life) }
            self.ask(node, .end(life, mode), .end(life, mode))
        case .awaitIdle(let id, let incarnation, let node):
            let life = ActorLife(id: id, incarnation: incarnation)
            self.ask(node, .awaitIdle(life), .awaitIdle(life))
        case .ask(let supervisor, let incarnation, let node, let child):
            let life = ActorLife(id: child.actor, incarnation: child.incarnation)
            let call = self.ask(
                node, .decide(ActorLife(id: supervisor, incarnation: incarnation)), .ask(life))
            self.plan(.askTimeout(call), in: 5_000_000_000)
        case .changed(let id): self.wake(id)
        case .event(let event):
            self.record("  \(event.kind) \(event.actor?.name ?? event.subject).\(event.incarnation): \(event.message)")
        case .reclaim, .objectsFree: break
        }
    }

    @discardableResult
    private mutating func ask(_ node: PeerID, _ question: Question, _ work: BrokerModel.Work) -> UInt64 {
        let call = self.makeNumber()
        self.broker.calls[call] = BrokerModel.Call(node: node, work: work)
        if self.broker.registry.nodes[node] == nil {
            self.fail(call)
        } else {
            self.send(.question(call, question), from: .broker, to: node)
        }
        return call
    }

    // MARK: Answers of nodes

    private mutating func receive(_ answer: Answer, to call: UInt64) {
        guard let pending = self.broker.calls.removeValue(forKey: call) else { return }
        switch (pending.work, answer) {
        case (.start(let spec, let client), _):
            self.note(answer, to: spec, on: pending.node)
            self.finishSpawn(of: spec, for: client)
        case (.end(let life, _), _):
            _ = self.tell { $0.ended(life.id, incarnation: life.incarnation, process: nil, at: $1) }
        case (.awaitIdle(let life), .isHeld(let isHeld)):
            _ = self.tell { $0.idle(life.id, incarnation: life.incarnation, isHeld: isHeld, at: $1) }
        case (.ask(let child), .decision(let decision)):
            _ = self.tell { $0.decided(child.id, incarnation: child.incarnation, decision, at: $1) }
        case (.ask(let child), _):
            _ = self.tell { $0.decided(child.id, incarnation: child.incarnation, .restart, at: $1) }
        case (.awaitIdle, _):
            self.truth.violations.append("a node answered \(answer)")
        }
    }

    private mutating func note(_ answer: Answer, to spec: ActorSpec, on node: PeerID) {
        let death: Registry.Death
        var isCertain = true
        switch answer {
        case .started(let worker):
            _ = self.tell {
                $0.started(spec.id, incarnation: spec.incarnation, at: Self.address(worker), on: node, at: $1)
            }
            return
        case .failed: death = Registry.Death(.constructorFailed, "Its initialiser failed.")
        case .crashed: death = Registry.Death(.processCrashed, "Its process crashed.")
        default:
            death = Registry.Death(.nodeLost, "Its node does not answer.")
            isCertain = false
        }
        _ = self.tell {
            $0.startFailed(spec.id, incarnation: spec.incarnation, death, isCertain: isCertain, at: $1)
        }
    }

    private mutating func finishSpawn(of spec: ActorSpec, for client: BrokerModel.Client?) {
        guard let client, self.broker.isUp else { return }
        let entry = self.broker.registry.entries[spec.id]
        let isAlive = entry?.phase == .alive && entry?.spec.incarnation == spec.incarnation
        self.answer(isAlive ? .handle(spec.id, isCounted: client.isHolder) : .refused("it did not start"), to: client)
    }

    /// A node cannot be asked.
    private mutating func fail(_ call: UInt64) {
        guard let pending = self.broker.calls[call] else { return }
        switch pending.work {
        case .start: self.receive(.refused("no answer"), to: call)
        case .awaitIdle: self.receive(.isHeld(true), to: call)
        case .ask: self.receive(.decision(.restart), to: call)
        case .end(let life, let mode):
            self.broker.calls[call] = nil
            guard let entry = self.broker.registry.entries[life.id], entry.spec.incarnation == life.incarnation,
                entry.node == pending.node, self.broker.registry.nodes[pending.node] != nil
            else { return }
            self.ask(pending.node, .end(life, mode), pending.work)
        }
    }

    mutating func answerAsk(_ call: UInt64, _ decision: Supervision.Decision) {
        self.receive(.decision(decision), to: call)
    }

    // MARK: Questions of processes

    mutating func receiveAtBroker(_ letter: Letter) {
        guard self.broker.isUp else { return }
        switch letter.message {
        case .answer(let call, let answer): self.receive(answer, to: call)
        case .question(let call, let question):
            self.take(question, of: BrokerModel.Client(process: letter.sender, call: call))
        case .handle, .held: break
        }
    }

    private mutating func take(_ question: Question, of client: BrokerModel.Client) {
        let sender = client.process
        switch question {
        case .spawn(let spec, let isHeld): self.spawn(spec, isHeld: isHeld, for: client)
        case .kill(let id, let restart):
            let incarnation = self.broker.registry.entries[id]?.spec.incarnation ?? 0
            guard self.tell({ $0.kill(id, restart: restart, by: "", at: $1) }) != nil else { return }
            if !restart { self.truth.doomed.insert(id) }
            self.wait(BrokerModel.Waiter(client: client, question: question, incarnation: incarnation), for: id)
        case .stop(let id, let time):
            let incarnation = self.broker.registry.entries[id]?.spec.incarnation ?? 0
            guard self.tell({ $0.stop(id, within: time, at: $1) }) != nil else { return }
            self.truth.doomed.insert(id)
            self.wait(BrokerModel.Waiter(client: client, question: question, incarnation: incarnation), for: id)
        case .find, .locate, .termination:
            self.wait(BrokerModel.Waiter(client: client, question: question), for: nil)
        case .report(let changes):
            let home = self.processes[sender]?.host
            let ended = self.tell { $0.report(changes, by: sender, on: home, at: $1) }
            if let ended { self.answer(.reported(ended: ended.map(\.actor)), to: client) }
        case .join:
            self.admit(sender)
            self.broker.registry.welcome(sender)
            self.answer(.done, to: client)
        case .leave: self.giveUp(sender)
        case .register(let actors, let workers): self.register(sender, actors, workers, client)
        case .exited(let life):
            let isKnown = self.broker.registry.entries[life.id]?.spec.incarnation == life.incarnation
            guard self.tell({ $0.exited(life.id, incarnation: life.incarnation, at: $1) }) != nil else { return }
            if isKnown { self.truth.exited.insert(life) }
            self.answer(.done, to: client)
        case .workerEnded(let worker):
            let death = Registry.Death(.processCrashed, "Its process crashed.")
            guard self.tell({ $0.lost(worker, death, at: $1) }) != nil else { return }
            self.cancelSpawns(of: worker)
            self.answer(.done, to: client)
        case .start, .end, .awaitIdle, .decide: break
        }
    }

    private mutating func spawn(_ spec: ActorSpec, isHeld: Bool, for client: BrokerModel.Client) {
        var client = client
        client.isHolder = isHeld
        let (holder, home) = (isHeld ? client.process : nil, self.processes[client.process]?.host)
        do {
            let spec = try self.tell { registry, now throws(MeshError) in
                try registry.spawn(spec, holder: holder, of: home, at: now)
            }
            guard let spec else { return }
            self.wait(BrokerModel.Waiter(client: client, question: .spawn(spec, isHeld: isHeld)), for: spec.id)
        } catch {
            self.answer(.refused((error as? MeshError)?.message ?? "\(error)"), to: client)
        }
    }

    private mutating func answer(_ answer: Answer, to client: BrokerModel.Client) {
        self.send(.answer(client.call, answer), from: .broker, to: client.process)
    }

    // MARK: Waiting

    /// Answers at once if it can, else when something changes.
    private mutating func wait(_ waiter: BrokerModel.Waiter, for id: UniqueID?) {
        switch self.outcome(of: waiter) {
        case .start(let spec, let node):
            self.checkStart(spec)
            self.ask(node, .start(spec), .start(spec, for: waiter.client))
        case .answer(let answer):
            if case .handle(let id, _) = answer {
                let (process, home) = (waiter.client.process, self.processes[waiter.client.process]?.host)
                let counts = self.tell { registry, _ in registry.grant(id, to: process, of: home) }
                guard let counts else { return }
                guard counts else { return self.answer(.refused("it was given up"), to: waiter.client) }
            }
            self.answer(answer, to: waiter.client)
        case .waits(let id): self.broker.waiters[id, default: []].append(waiter)
        }
    }

    private enum WaitOutcome {
        case answer(Answer)
        case waits(UniqueID)
        case start(ActorSpec, PeerID)
    }

    private func outcome(of waiter: BrokerModel.Waiter) -> WaitOutcome {
        let registry = self.broker.registry
        switch waiter.question {
        case .spawn(let spec, _):
            guard let entry = registry.entries[spec.id] else { return .answer(.refused("it was not placed")) }
            if entry.phase == .starting, let node = entry.node { return .start(entry.spec, node) }
            return .waits(spec.id)
        case .find(let name):
            guard let entry = try? registry.find(name: name, namespace: nil) else { return .answer(.nothing) }
            return entry.phase == .alive ? .answer(.handle(entry.spec.id, isCounted: true)) : .waits(entry.spec.id)
        case .locate(let id, let life):
            guard let entry = registry.entries[id] else { return .answer(.nothing) }
            let isNew = entry.phase == .alive && entry.spec.incarnation > life
            return isNew ? .answer(.located(entry.spec.incarnation)) : .waits(id)
        case .termination(let id):
            return registry.entries[id] == nil ? .answer(.termination(registry.terminations[id]?.cause)) : .waits(id)
        case .kill(let id, _), .stop(let id, _):
            return registry.isEnding(id, incarnation: waiter.incarnation) ? .waits(id) : .answer(.done)
        default: return .answer(.done)
        }
    }

    private mutating func wake(_ id: UniqueID) {
        for waiter in self.broker.waiters.removeValue(forKey: id) ?? [] {
            if self.processes[waiter.client.process] != nil {
                self.wait(waiter, for: id)
            } else if case .spawn(let spec, _) = waiter.question {
                self.withdraw(spec, waiter)
            }
        }
    }

    /// A call ends with its caller, and what only it waited for with it. One that was just placed is started all the same.
    private mutating func withdraw(_ spec: ActorSpec, _ waiter: BrokerModel.Waiter) {
        if case .pending? = self.broker.registry.entries[spec.id]?.phase {
            let death = Registry.Death(.killed, "Whoever spawned it does not wait for it any more.")
            _ = self.tell { $0.end(spec.id, .kill, death, at: $1) }
        } else {
            self.wait(waiter, for: spec.id)
        }
    }

    /// The calls of a process that is gone are cancelled.
    private mutating func cancelSpawns(of process: PeerID) {
        for (id, waiters) in self.broker.waiters.sorted(by: { $0.key.low < $1.key.low }) {
            for waiter in waiters where waiter.client.process == process {
                guard case .spawn = waiter.question else { continue }
                self.wake(id)
            }
        }
    }

    /// Those who wait although what they wait for has come.
    var overlookedWaiters: [BrokerModel.Waiter] {
        self.broker.waiters.values.flatMap(\.self).filter { waiter in
            guard self.processes[waiter.client.process] != nil else { return false }
            return if case .waits = self.outcome(of: waiter) { false } else { true }
        }
    }

    // MARK: Members

    private mutating func admit(_ process: PeerID) {
        self.broker.missingOwners[process] = nil
        self.broker.leases.hear(process, at: self.time)
    }

    private mutating func register(
        _ node: PeerID, _ actors: [HostedSpec], _ workers: [PeerID], _ client: BrokerModel.Client
    ) {
        guard let host = self.hosts[node] else { return }
        self.admit(node)
        for worker in workers { self.broker.missingOwners[worker] = nil }
        let registration = host.registration
        let strays = self.tell { $0.add(registration, actors: actors, workers: workers, at: $1) }
        guard let strays else { return }
        for stray in strays { self.ask(node, .end(stray, .kill), .end(stray, .kill)) }
        for actor in actors where !actor.spec.isDetached && actor.spec.owner.actor == nil {
            let owner = actor.spec.owner.process
            guard !self.broker.leases.contains(owner), !workers.contains(owner) else { continue }
            self.broker.missingOwners[owner] = self.broker.missingOwners[owner] ?? self.time + self.rules.patience
        }
        self.answer(.done, to: client)
    }

    /// The link to a process has ended with it.
    mutating func brokerHears(endOf peer: PeerID) {
        guard self.broker.isUp, !self.broker.registry.isWorkerOfLivingNode(peer) else { return }
        self.giveUp(peer)
    }

    private mutating func giveUp(_ peer: PeerID) {
        let era = self.era
        self.broker.leases.remove(peer)
        self.broker.missingOwners[peer] = nil
        let callsFailFirst = self.chance(2)
        if callsFailFirst { self.failCalls(to: peer) }
        guard self.era == era else { return }
        self.record("broker gives up \(peer.name)")
        _ = self.tell { $0.lost(peer, Registry.Death(.nodeLost, "It was lost."), at: $1) }
        if self.era == era, !callsFailFirst { self.failCalls(to: peer) }
        if self.era == era { self.cancelSpawns(of: peer) }
    }

    private mutating func failCalls(to node: PeerID) {
        let era = self.era
        for call in self.broker.calls.filter({ $0.value.node == node }).keys.sorted() where self.era == era {
            self.fail(call)
        }
    }

    mutating func checkLeases() {
        self.plan(.leaseCheck, in: self.rules.heartbeat)
        self.checkWorkers()
        guard self.broker.isUp else { return }
        for host in self.hosts.keys.sorted(by: { $0.number < $1.number }) where !self.isFrozen(host) {
            if self.broker.leases.contains(host), self.hosts[host]?.isFenced == false {
                self.broker.leases.hear(host, at: self.time)
                self.hosts[host]?.leaseEnd = self.time + self.rules.leaseTime
            } else {
                self.rejoin(host)
            }
        }
        for driver in self.drivers where !self.isFrozen(driver) {
            if self.broker.leases.contains(driver) {
                self.broker.leases.hear(driver, at: self.time)
            } else {
                self.rejoin(driver)
            }
        }
        let era = self.era
        for peer in self.broker.leases.tick(now: self.time) where self.era == era { self.giveUp(peer) }
        for (owner, time) in self.broker.missingOwners.sorted(by: { $0.key.number < $1.key.number })
        where self.time > time && self.era == era {
            self.giveUp(owner)
        }
    }

    // MARK: The broker's own end

    mutating func endBroker() {
        self.record("the broker ends")
        self.era += 1
        self.broker.isUp = false
        self.broker.endsIn = nil
        for process in self.processes.keys {
            self.processes[process]?.questions = [:]
            self.processes[process]?.isKnown = false
            if self.processes[process]?.report != nil { self.processes[process]?.holds.failed() }
            self.processes[process]?.report = nil
            self.processes[process]?.unsettled = []
            self.processes[process]?.isIncomplete = true
        }
        for host in self.hosts.keys.sorted(by: { $0.number < $1.number }) where !self.isFrozen(host) {
            self.hosts[host]?.leaseEnd = self.time + self.rules.absence
            self.plan(.fence(host), in: self.rules.absence)
        }
        self.plan(.brokerReturns, in: self.wait(upTo: self.chance(5) ? 2 * self.rules.absence : 500_000_000))
    }

    mutating func startBroker() {
        guard !self.broker.isUp else { return }
        let records = self.store.records.values.sorted { $0.order < $1.order }
        self.record("a broker begins with \(records.count) actors")
        let registry = Registry(
            settings: self.settings, records: records, terminations: self.store.terminations,
            patience: { [patience = self.rules.patience] _ in patience }, at: self.moment)
        self.broker = BrokerModel(registry: registry, rules: self.rules)
        for owner in registry.owners { self.broker.missingOwners[owner] = self.time + self.rules.patience }
        self.settle()
        for peer in (Array(self.hosts.keys) + self.drivers).sorted(by: { $0.number < $1.number })
        where !self.isFrozen(peer) {
            self.rejoin(peer)
        }
    }
}
