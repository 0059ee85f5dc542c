import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// Nodes and other processes, which come and go.
extension Registry {
    /// Lists a node that joins, with the actors that it has when it was here before.
    ///
    /// - Returns: those of its actors that it has to end: they live elsewhere by now, or their name does.
    package mutating func add(
        _ registration: NodeRegistration, actors: [HostedSpec], at now: Moment
    ) -> [ActorLife] {
        let node = registration.address.peer
        self.gone.remove(node)
        let isNew = self.nodes[node] == nil
        let known = self.nodes[node]?.actors ?? []
        self.nodes[node] = Node(registration: registration, actors: known)
        if isNew {
            let name = registration.name
            self.effects.append(
                .event(MeshEvent(.nodeJoined, date: now.date, subject: name, message: "Node \(name) has joined.")))
        }
        var strays: [ActorLife] = []
        for actor in actors where !self.adopt(actor, on: node, at: now) {
            strays.append(ActorLife(id: actor.spec.id, incarnation: actor.spec.incarnation))
        }
        let listed = Set(actors.map(\.spec.id))
        // What it was thought to have and does not died while nobody looked.
        for id in known where !listed.contains(id) {
            guard let entry = self.entries[id], entry.phase != .starting else { continue }
            self.died(id, Death(.nodeLost, "Its node does not have it any more."), at: now)
        }
        for id in self.timed { self.startIfReady(id, at: now) }
        return strays
    }

    /// Takes over an actor that a node has. Returns whether it is the living one.
    private mutating func adopt(_ actor: HostedSpec, on node: PeerID, at now: Moment) -> Bool {
        let id = actor.spec.id
        if let entry = self.entries[id] {
            guard entry.spec.incarnation == actor.spec.incarnation else { return false }
            switch entry.phase {
            case .starting where entry.node == node, .alive where entry.node == node, .ending: return true
            case .missing: break
            case .starting, .alive, .deciding, .restarting: return false
            }
            self.enter(id, node)
        } else {
            guard self.terminations[id] == nil, !self.gone.contains(actor.spec.owner.process) || actor.spec.isDetached
            else { return false }
            do throws(MeshError) { try self.takeName(of: actor.spec) } catch { return false }
            self.list(actor.spec, .alive, on: node)
        }
        self.entries[id]?.phase = .alive
        self.entries[id]?.address = actor.address
        self.entries[id]?.aliveSince = now.time
        self.processes[actor.address.peer, default: ProcessEntry()].node = node
        // Its holders are to join again, too.
        self.entries[id]?.wasHeld = true
        self.entries[id]?.releaseAt = now.time + 2 * self.settings.drainTime
        self.timed.insert(id)
        self.changed.insert(id)
        self.effects.append(.changed(id))
        return true
    }

    /// Whether a process is a worker whose node will tell how it ended.
    package func isWorkerOfLivingNode(_ process: PeerID) -> Bool {
        self.processes[process]?.node.map { self.nodes[$0] != nil } ?? false
    }

    /// A process has ended, or was not heard for the lease time: what it held and owned, and the actors in it.
    ///
    /// - Parameter death: how the actors that lived in it died.
    package mutating func lost(_ process: PeerID, _ death: Death, at now: Moment) {
        self.noteGone(process)
        var lost = [process]
        if let node = self.nodes.removeValue(forKey: process) {
            let name = node.registration.name
            self.effects.append(.event(MeshEvent(.nodeLost, date: now.date, subject: name, message: death.message)))
            let workers = self.processes.filter { $0.value.node == process }.map(\.key)
            for worker in workers { self.noteGone(worker) }
            lost += workers
            for id in node.actors.sorted(by: { self.isOlder($0, $1) }) { self.died(id, death, at: now) }
        }
        let victims = self.entries.values.filter { entry in
            entry.address.map { lost.contains($0.peer) } ?? false
        }
        for entry in victims.sorted(by: { $0.order < $1.order }) {
            self.died(entry.spec.id, death, at: now)
        }
        for process in lost { self.giveUp(process, death, at: now) }
        self.effects.append(.reclaim(lost))
    }

    private func isOlder(_ one: UniqueID, _ other: UniqueID) -> Bool {
        (self.entries[one]?.order ?? 0) < (self.entries[other]?.order ?? 0)
    }

    /// What a process that has ended held and owned.
    private mutating func giveUp(_ process: PeerID, _ death: Death, at now: Moment) {
        guard let entry = self.processes.removeValue(forKey: process) else { return }
        for id in entry.holds {
            self.entries[id]?.holders[process] = nil
            self.entries[id]?.releaseAt = now.time + self.settings.graceAfterDeath
            self.checkRelease(id, at: now)
        }
        let ownerDied = Death(.ownerDied, "Its owner, process \(process), has ended: \(death.message)")
        for child in entry.children.reversed() {
            self.endWithOwner(
                child, until: now.time + self.settings.drainTime, ownerDied, at: now)
        }
    }

    private mutating func noteGone(_ process: PeerID) {
        guard self.gone.insert(process).inserted else { return }
        self.goneOrder.append(process)
        guard self.goneOrder.count > self.settings.remembered * 5 / 4 else { return }
        let count = self.goneOrder.count - self.settings.remembered
        for process in self.goneOrder.prefix(count) { self.gone.remove(process) }
        self.goneOrder.removeFirst(count)
    }

    /// A process that was given up has come back, as a new member.
    package mutating func welcome(_ process: PeerID) {
        if self.gone.remove(process) != nil { self.goneOrder.removeAll { $0 == process } }
    }

    mutating func forgetIfEmpty(_ process: PeerID) {
        guard let entry = self.processes[process], entry.holds.isEmpty, entry.children.isEmpty, entry.node == nil
        else { return }
        self.processes[process] = nil
    }

    // MARK: Time

    /// Does what is due.
    package mutating func tick(at now: Moment) {
        for id in self.timed {
            guard let entry = self.entries[id] else {
                self.timed.remove(id)
                continue
            }
            switch entry.phase {
            case .restarting: self.startIfReady(id, at: now)
            case .missing(let time) where now.time >= time:
                self.timed.remove(id)
                let death = Death(.nodeLost, "Its node did not join again after the broker had been away.")
                self.died(id, death, at: now)
            case .alive: self.checkRelease(id, at: now)
            default: break
            }
        }
    }

    /// When something is due next; nil for never. What was due already waits for something else to happen.
    package func nextDue(after now: UInt64) -> UInt64? {
        var next: UInt64?
        for id in self.timed {
            guard let entry = self.entries[id] else { continue }
            let time: UInt64?
            switch entry.phase {
            case .restarting(let restart): time = restart.at
            case .missing(let until): time = until
            default: time = entry.releaseAt
            }
            if let time, time > now { next = min(next ?? .max, time) }
        }
        return next
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
