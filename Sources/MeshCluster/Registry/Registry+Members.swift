import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// Nodes and other processes, which come and go.
extension Registry {
    // MARK: Nodes come

    /// Lists a node that joins, with the actors and worker processes that it has when it was here before.
    ///
    /// - Returns: those of its actors that it has to end: they live elsewhere by now, or their name does.
    package mutating func add(
        _ registration: NodeRegistration, actors: [HostedSpec], workers: [PeerID] = [], at now: Moment
    ) -> [ActorLife] {
        let node = registration.address.peer
        // Of one that was given up everything was decided that it had.
        let isReturning = self.gone[node] != nil
        self.welcome(node)
        let isNew = self.nodes[node] == nil
        let known = (self.nodes[node]?.actors ?? []).union(self.absent.removeValue(forKey: node) ?? [])
        let earlier = self.nodes[node]?.workers ?? []
        let remainders = self.nodes[node]?.pool.grants ?? [:]
        self.nodes[node] = Node(registration: registration, actors: known, workers: earlier)
        self.adopt(registration.leases ?? [], on: node)
        self.fillPool(of: node, remainders: remainders)
        for worker in workers {
            self.welcome(worker)
            self.join(worker, node)
        }
        if isNew {
            let name = registration.name
            self.effects.append(
                .event(MeshEvent(.nodeJoined, date: now.date, subject: name, message: "Node \(name) has joined.")))
        }
        var strays: [ActorLife] = []
        for actor in actors where !self.adopt(actor, on: node, isReturning: isReturning, at: now) {
            strays.append(ActorLife(id: actor.spec.id, incarnation: actor.spec.incarnation))
        }
        let listed = Set(actors.map(\.spec.id))
        for id in self.inOrder(known) { self.compare(id, isListed: listed.contains(id), at: now) }
        for actor in actors { self.askAgain(actor.spec.id, at: now) }
        self.mayPlace = true
        return strays
    }

    /// Takes over an actor that a node has. Returns whether it is the living one.
    private mutating func adopt(
        _ actor: HostedSpec, on node: PeerID, isReturning: Bool, at now: Moment
    ) -> Bool {
        let id = actor.spec.id
        if let entry = self.entries[id] {
            guard entry.spec.incarnation == actor.spec.incarnation, entry.node == node else { return false }
            guard case .missing = entry.phase else { return true }
        } else {
            guard !isReturning, self.isWelcome(actor.spec) else { return false }
            do throws(MeshError) { try self.takeName(of: actor.spec) } catch { return false }
            self.list(actor.spec, .alive, on: node)
            self.claim(id)
            self.entries[id]?.wasHeld = true
            if self.isOrphan(actor.spec) { self.entries[id]?.orphanUntil = now.time + self.settings.claimTime }
        }
        self.enter(id, node)
        self.enter(id, at: actor.address, on: node)
        // Its holders are to join again, too.
        self.postponeRelease(id, until: now.time + self.settings.claimTime)
        self.becomeAlive(id, at: now)
        return true
    }

    /// Whether an actor of which nothing is known may live on.
    private func isWelcome(_ spec: ActorSpec) -> Bool {
        guard self.terminations[spec.id] == nil else { return false }
        guard spec.options.lifetime == .owned else { return true }
        guard let owner = spec.owner.actor else { return self.gone[spec.owner.process] == nil }
        if let entry = self.entries[owner] { return entry.spec.incarnation == spec.owner.incarnation }
        return self.terminations[owner] == nil
    }

    private func isOrphan(_ spec: ActorSpec) -> Bool {
        guard spec.options.lifetime == .owned, let owner = spec.owner.actor else { return false }
        return self.entries[owner] == nil
    }

    /// The owner of an actor is listed.
    mutating func adoptOrphan(_ id: UniqueID, by owner: ActorSpec) {
        guard let entry = self.entries[id] else { return }
        // One of an earlier life ends as if the owner were not there.
        guard entry.spec.owner.incarnation == owner.incarnation else {
            self.orphans[owner.id, default: []].insert(id)
            return
        }
        self.entries[id]?.orphanUntil = nil
        self.entries[owner.id]?.children.insert(id)
    }

    mutating func endOrphan(_ id: UniqueID, at now: Moment) {
        self.entries[id]?.orphanUntil = nil
        let death = Death(.ownerDied, "Its owner has ended while the broker was away.")
        self.endWithOwner(id, until: now.time + self.settings.drainTime, death, at: now)
    }

    /// What is known of an actor is compared with what its node says.
    private mutating func compare(_ id: UniqueID, isListed: Bool, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        switch entry.phase {
        // It may have been told so by an earlier broker, or not heard it.
        case .ending(var ending):
            if case .stop(let time) = ending.mode { ending.due = self.deadline(time, now) } else { ending.due = nil }
            self.entries[id]?.phase = .ending(ending)
            self.changed.insert(id)
            self.plan(id)
            self.tellNode(id)
        case .missing:
            self.died(id, Self.nodeHasIt, at: now)
        case .alive where !isListed:
            // The list may have been made before it was started.
            self.order(id, .kill, Self.nodeHasIt, then: .decide, at: now)
        case .pending, .starting, .alive, .deciding, .restarting: break
        }
    }

    private static let nodeHasIt = Death(.nodeLost, "Its node does not have it any more.")

    /// A node has a new worker process: what that is given, without saying so itself, goes when the node goes.
    package mutating func workerStarted(_ worker: PeerID, on node: PeerID) {
        guard self.gone[worker] == nil, self.nodes[node] != nil else { return }
        self.join(worker, node)
    }

    // MARK: Processes go

    /// Whether a process is a worker whose node will tell how it ended.
    package func isWorkerOfLivingNode(_ process: PeerID) -> Bool {
        self.processes[process]?.node.map { self.nodes[$0] != nil } ?? false
    }

    /// A process has ended, or was not heard for the lease time: what it held and owned, and the actors in it.
    ///
    /// - Parameter death: how the actors that lived in it died.
    package mutating func lost(_ process: PeerID, _ death: Death, at now: Moment) {
        var lost = [process]
        var victims = self.processes[process]?.actors ?? []
        if let node = self.nodes.removeValue(forKey: process) {
            let name = node.registration.name
            self.effects.append(.event(MeshEvent(.nodeLost, date: now.date, subject: name, message: death.message)))
            lost += node.workers.sorted { $0.number < $1.number }
            victims.formUnion(node.actors)
        }
        for process in lost { self.noteGone(process, death) }
        for id in self.inOrder(victims) { self.died(id, death, at: now) }
        for process in lost { self.endLeases(of: process) }
        for process in lost { self.loseBundles(on: process) }
        for process in lost { self.giveUp(process, death, at: now) }
        for process in lost { self.endGroups(of: process, at: now) }
        self.effects.append(.reclaim(lost))
    }

    /// What a process that has ended held and owned.
    private mutating func giveUp(_ process: PeerID, _ death: Death, at now: Moment) {
        guard let entry = self.processes.removeValue(forKey: process) else { return }
        if let node = entry.node { self.nodes[node]?.workers.remove(process) }
        for id in self.inOrder(entry.holds) {
            self.entries[id]?.holders[process] = nil
            self.postponeRelease(id, until: now.time + self.settings.graceAfterDeath)
        }
        self.giveUpObjects(entry, of: process, at: now)
        guard !entry.children.isEmpty else { return }
        let ownerDied = Death(.ownerDied, "Its owner, process \(process), has ended: \(death.message)")
        for child in self.inOrder(entry.children).reversed() {
            self.endWithOwner(child, until: now.time + self.settings.drainTime, ownerDied, at: now)
        }
    }

    private mutating func noteGone(_ process: PeerID, _ death: Death) {
        guard self.gone.updateValue(death, forKey: process) == nil else { return }
        self.goneOrder.append(process)
        guard self.goneOrder.count > self.settings.remembered * 5 / 4 else { return }
        let count = self.goneOrder.count - self.settings.remembered
        for process in self.goneOrder.prefix(count) { self.gone[process] = nil }
        self.goneOrder.removeFirst(count)
    }

    /// Whether a process has ended, or was given up.
    package func isGone(_ process: PeerID) -> Bool { self.gone[process] != nil }

    /// A process that was given up has come back, as a new member.
    package mutating func welcome(_ process: PeerID) {
        if self.gone.removeValue(forKey: process) != nil { self.goneOrder.removeAll { $0 == process } }
    }

    mutating func forgetIfEmpty(_ process: PeerID) {
        if self.processes[process]?.isEmpty == true { self.processes[process] = nil }
    }
}

/// One life of an actor.
package struct ActorLife: Hashable, Sendable, Codable {
    package var id: UniqueID
    package var incarnation: UInt64

    package init(id: UniqueID, incarnation: UInt64) {
        self.id = id
        self.incarnation = incarnation
    }
}

extension ActorSpec {
    package var isDetached: Bool { self.options.lifetime == .detached }
}
