import MeshCluster
import MeshCore
import MeshRuntime

/// What has to hold, and what is needed to tell.
struct Truth {
    var violations: [String] = []
    /// Actors that were told to end for good.
    var doomed: Set<UniqueID> = []
    var exited: Set<ActorLife> = []
    /// The last life of each actor that was begun.
    var begun: [UniqueID: UInt64] = [:]
    var incarnations: [UniqueID: UInt64] = [:]
    /// Since when the owners of actors have been gone.
    var ownerless: [UniqueID: UInt64] = [:]
    /// Actors of which nobody was ever given a counted handle.
    var unheld: Set<UniqueID> = []
}

extension World {
    private mutating func violate(_ text: String) {
        self.record("✘ \(text)")
        self.truth.violations.append(text)
    }

    // MARK: When something begins

    /// A life is about to begin.
    mutating func checkStart(_ spec: ActorSpec) {
        let name = spec.life.name
        if self.truth.doomed.contains(spec.id) { self.violate("\(name) starts although its actor was told to end") }
        if spec.incarnation <= self.truth.begun[spec.id] ?? 0 { self.violate("\(name) begins twice") }
        self.truth.begun[spec.id] = spec.incarnation
        if spec.incarnation > 1, self.truth.exited.contains(where: { $0.id == spec.id }) {
            self.violate("\(name) starts although its actor had ended itself")
        }
        let restarts = self.broker.registry.entries[spec.id]?.restarts ?? 0
        if let most = spec.options.maxRestarts.count, !spec.isSupervised, restarts > most {
            self.violate("\(name) is started again \(restarts) times")
        }
    }

    /// An actor is ended because nobody holds it.
    mutating func checkRelease(_ life: ActorLife) {
        // How long a handle and the news of it may take.
        let memory = self.settings.graceAfterDeath
        for (peer, process) in self.processes.sorted(by: { $0.key.number < $1.key.number })
        where process.leases[life.id] != nil {
            let isClear = process.wasFrozenUntil == 0 || process.wasFrozenUntil + memory < self.time
            if isClear, !self.isFrozen(peer), self.broker.leases.contains(process.host ?? peer) {
                self.violate("\(life.name) is released although \(peer.name) holds it")
            }
        }
    }

    // MARK: After each step

    mutating func check() {
        guard self.broker.isUp else { return }
        for text in self.broker.registry.contradictions(at: self.moment) { self.violate(text) }
        self.checkLives()
        if self.rules.scarcity { self.checkShares() }
        self.checkFamilies()
        for waiter in self.overlookedWaiters { self.violate("nobody told who waits with \(waiter.question)") }
        if self.rules.brokerCrashes { self.checkStore() }
    }

    /// Two lives of an actor are never there at once, unless the elder is on a host that must not act any more.
    private mutating func checkLives() {
        var lives: [UniqueID: Int] = [:]
        for host in self.hosts.values where self.time < host.leaseEnd {
            for instance in host.instances.values where self.processes[instance.worker] != nil {
                lives[instance.spec.id, default: 0] += 1
            }
        }
        for (id, count) in lives where count > 1 { self.violate("\(count) lives of \(id.name) at once") }
    }

    /// Those who live on a host never have more than it has.
    private mutating func checkShares() {
        for (peer, host) in self.hosts.sorted(by: { $0.key.number < $1.key.number }) where self.time < host.leaseEnd {
            guard let total = try? ResourceAmounts(offered: host.registration.resources) else { continue }
            var pool = ResourcePool(total)
            for instance in host.instances.values where self.processes[instance.worker] != nil {
                let needs = instance.spec.options.resources ?? Resources()
                guard let amounts = try? ResourceAmounts(asked: needs) else { continue }
                let grant = ResourcePool.Grant(amounts: amounts, gpuIDs: instance.spec.gpuIDs ?? [])
                pool.give(grant, to: .actor(instance.spec.id))
            }
            if let kind = pool.overdrawn { self.violate("\(peer.name) has given away more \(kind) than it has") }
        }
    }

    private mutating func checkFamilies() {
        let registry = self.broker.registry
        // A node or a broker may be away for a while first; then comes the time to finish, and a late end.
        let most =
            self.rules.patience + 2 * self.rules.leaseTime + registry.settings.claimTime + registry.settings.drainTime
            + registry.settings.retryTime + 500_000_000
        for entry in registry.entries.values {
            let id = entry.spec.id
            if entry.spec.incarnation < self.truth.incarnations[id] ?? 0 {
                self.violate("\(id.name) goes back in time")
            }
            self.truth.incarnations[id] = entry.spec.incarnation
            guard !entry.spec.isDetached, self.isOwnerGone(of: entry.spec) else {
                self.truth.ownerless[id] = nil
                continue
            }
            let since = self.truth.ownerless[id] ?? self.time
            self.truth.ownerless[id] = since
            if self.time > since + most { self.violate("\(id.name) outlives its owner: \(entry.phase.kind)") }
        }
    }

    private func isOwnerGone(of spec: ActorSpec) -> Bool {
        guard let owner = spec.owner.actor else { return self.processes[spec.owner.process] == nil }
        return self.broker.registry.entries[owner]?.spec.incarnation != spec.owner.incarnation
    }

    private mutating func checkStore() {
        let registry = self.broker.registry
        for id in Set(registry.entries.keys).union(self.store.records.keys) {
            if self.store.records[id] != registry.record(of: id) { self.violate("\(id.name) is not what was written") }
        }
    }

    // MARK: When all is quiet

    /// Lets everything that is under way come to its end; then all that is left is what ought to be.
    mutating func settleDown() {
        self.isQuiet = true
        self.record("— quiet —")
        for peer in (Array(self.hosts.keys) + Array(self.processes.keys)).sorted(by: { $0.number < $1.number }) {
            self.thaw(peer)
        }
        if !self.broker.isUp { self.startBroker() }
        self.broker.endsIn = nil
        if self.hosts.isEmpty { self.addHost() }
        self.pass(10_000_000_000)
        guard self.truth.violations.isEmpty else { return }
        self.checkQuiet()
        for driver in self.drivers { self.endProcess(driver) }
        self.pass(10_000_000_000)
        guard self.truth.violations.isEmpty else { return }
        self.checkQuiet()
        self.checkLeft()
    }

    private mutating func pass(_ duration: UInt64) {
        let end = self.time + duration
        while self.truth.violations.isEmpty, self.step(until: end) { self.check() }
    }

    private mutating func checkQuiet() {
        let registry = self.broker.registry
        for (peer, process) in self.processes.sorted(by: { $0.key.number < $1.key.number }) {
            for question in process.questions.values {
                if case .termination(let id) = question, registry.entries[id] != nil { continue }
                // That nobody waits for what is free is looked at after each step.
                if let id = self.subject(of: question), registry.queue.contains(.actor(id)) { continue }
                if case .locate(let id, let life) = question, registry.entries[id]?.spec.incarnation == life {
                    continue
                }
                self.violate("\(peer.name) still waits: \(question)")
            }
        }
        for entry in registry.entries.values.sorted(by: { $0.order < $1.order }) { self.checkQuiet(entry) }
        for (peer, host) in self.hosts {
            for instance in host.instances.values
            where registry.entries[instance.spec.id]?.spec.incarnation != instance.spec.incarnation {
                self.violate("\(instance.spec.life.name) lives on \(peer.name), and nobody knows")
            }
        }
    }

    private func subject(of question: Question) -> UniqueID? {
        switch question {
        case .spawn(let spec, _): spec.id
        case .locate(let id, _): id
        case .find(let name): (try? self.broker.registry.find(name: name, namespace: nil))?.spec.id
        default: nil
        }
    }

    private mutating func checkQuiet(_ entry: Registry.Entry) {
        let (id, name) = (entry.spec.id, entry.spec.life.name)
        if self.broker.registry.queue.contains(.actor(id)) { return }
        guard entry.phase == .alive else { return self.violate("\(name) is stuck: \(entry.phase.kind)") }
        let instance = entry.node.flatMap { self.hosts[$0]?.instances[id] }
        if instance?.worker != entry.address?.peer || instance?.spec.incarnation != entry.spec.incarnation
            || instance.map({ self.processes[$0.worker] == nil }) ?? true
        {
            self.violate("\(name) is not where it is said to be")
        }
        let holders = Set(self.processes.filter { $0.value.leases[id] != nil }.keys)
        if holders != Set(entry.holders.keys) {
            self.violate("\(name) is held by \(holders.map(\.name)), not by \(entry.holders.keys.map(\.name))")
        }
        if holders.isEmpty, !entry.spec.isDetached, !self.truth.unheld.contains(id) {
            self.violate("\(name) lives on although nobody holds it")
        }
    }

    /// Without drivers there are detached actors, and those whom they own.
    private mutating func checkLeft() {
        let entries = self.broker.registry.entries
        for entry in entries.values where !entry.spec.isDetached {
            guard let owner = entry.spec.owner.actor, entries[owner] != nil else {
                self.violate("\(entry.spec.life.name) is left behind")
                continue
            }
        }
    }
}
