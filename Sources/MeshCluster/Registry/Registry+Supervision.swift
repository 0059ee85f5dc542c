import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// What supervisors do about the deaths of their children.
extension Registry {
    /// The owner that decides about the deaths of an actor, now or when it is there again.
    func supervisor(of entry: Entry) -> Entry? {
        guard let supervisor = entry.supervisor.flatMap({ self.entries[$0] }) else { return nil }
        switch supervisor.phase {
        case .starting, .alive, .missing: return supervisor
        case .pending, .deciding, .restarting, .ending: return nil
        }
    }

    /// Asks the supervisor about a child that died, if its type decides; else the supervision holds at once.
    mutating func ask(_ supervisor: Entry, about child: UniqueID, _ death: Death, at now: Moment) {
        guard let entry = self.entries[child] else { return }
        if case .missing = supervisor.phase {
            self.entries[child]?.waitsFor = "the node of its supervisor \(supervisor.spec.label) is not there"
            return
        }
        guard supervisor.spec.isSupervisor, supervisor.phase == .alive, let node = supervisor.node else {
            return self.restartSupervised(child, by: supervisor, death, at: now)
        }
        self.entries[child]?.waitsFor = "its supervisor \(supervisor.spec.label) decides about it"
        self.effects.append(
            .ask(
                supervisor.spec.id, incarnation: supervisor.spec.incarnation, on: node,
                about: self.termination(of: entry, death, date: now.date)))
    }

    /// A supervisor is there again: it is asked about those that died meanwhile.
    mutating func askAgain(_ supervisor: UniqueID, at now: Moment) {
        guard let owner = self.entries[supervisor], owner.spec.options.supervision != nil else { return }
        for child in self.inOrder(owner.children) {
            guard let entry = self.entries[child], case .deciding(let death) = entry.phase,
                let supervisor = self.supervisor(of: entry)
            else { continue }
            self.ask(supervisor, about: child, death, at: now)
        }
    }

    /// A supervisor has decided, or could not be asked.
    package mutating func decided(
        _ child: UniqueID, incarnation: UInt64, _ decision: Supervision.Decision, at now: Moment
    ) {
        guard let entry = self.entries[child], entry.spec.incarnation == incarnation,
            case .deciding(let death) = entry.phase
        else { return }
        self.entries[child]?.waitsFor = nil
        // One that is ended itself takes its children along.
        guard let supervisor = self.supervisor(of: entry) else { return }
        switch decision {
        case .restart: self.restartSupervised(child, by: supervisor, death, at: now)
        case .stop: self.finish(child, death, at: now)
        case .escalate:
            let reason = "it escalated the death of \(entry.spec.label): \(death.message)"
            self.escalate(supervisor, reason, at: now)
        }
    }

    /// Restarts a dead child, and those that its supervisor's strategy adds.
    mutating func restartSupervised(
        _ child: UniqueID, by supervisor: Entry, _ death: Death, at now: Moment
    ) {
        guard let supervision = supervisor.spec.options.supervision, let entry = self.entries[child] else { return }
        let window = supervision.within.nanoseconds
        var recent = supervisor.childRestarts.filter { now.time - min(now.time, $0) < window }
        guard recent.count < supervision.maxRestarts else {
            let reason =
                "its children died more than \(supervision.maxRestarts) times in \(supervision.within); the last was "
                + "\(entry.spec.label): \(death.message)"
            return self.escalate(supervisor, reason, at: now)
        }
        let time = now.time + supervision.backoff.delay(after: recent.count).nanoseconds
        recent.append(now.time)
        self.entries[supervisor.spec.id]?.childRestarts = recent
        var others: [(id: UniqueID, after: UniqueID?)] = []
        // In the order of their making each waits for the one before it.
        var last: UniqueID?
        var leader: UniqueID?
        for sibling in self.group(of: entry, supervision.strategy, supervisor) {
            if sibling == child { leader = last } else { others.append((sibling, last)) }
            last = sibling
        }
        let cause = Death(.killed, "It is started again because \(entry.spec.label) died: \(death.message)")
        for sibling in others.reversed() {
            self.endWithSibling(sibling.id, at: time, after: sibling.after, cause, at: now)
        }
        // Only now, when none of those before it is alive any more, does one that is dead wait for them.
        for sibling in others { self.delay(sibling.id, until: time, after: sibling.after, at: now) }
        self.restart(child, at: time, after: leader, death, at: now)
        for sibling in others { self.startIfReady(sibling.id, at: now) }
    }

    /// The children that are started again when one has died, that one included, in the order of their making. Those
    /// that are being ended for good or made for the first time are left to that.
    private func group(
        of child: Entry, _ strategy: Supervision.Strategy, _ supervisor: Entry
    ) -> [UniqueID] {
        guard strategy != .oneForOne else { return [child.spec.id] }
        let group = supervisor.children.filter { id in
            guard let entry = self.entries[id], strategy == .oneForAll || entry.order >= child.order else {
                return false
            }
            if case .ending(let ending) = entry.phase { return ending.next != .finish && entry.hasLived }
            return entry.hasLived
        }
        return self.inOrder(group)
    }

    /// Ends a living sibling of one that died, in order to start it again.
    private mutating func endWithSibling(
        _ id: UniqueID, at time: UInt64, after sibling: UniqueID?, _ death: Death, at now: Moment
    ) {
        guard let entry = self.entries[id] else { return }
        switch entry.phase {
        case .starting, .alive, .missing:
            self.order(id, .kill, death, then: .restart(at: time, after: sibling), at: now)
        case .ending(var ending):
            ending.next = .restart(at: time, after: sibling)
            self.entries[id]?.phase = .ending(ending)
            self.changed.insert(id)
            self.joinGroup(id)
        case .pending, .deciding, .restarting: return
        }
        if let sibling { self.entries[sibling]?.followers.append(id) }
    }

    /// A sibling that is dead itself is started again with the others.
    private mutating func delay(
        _ id: UniqueID, until time: UInt64, after sibling: UniqueID?, at now: Moment
    ) {
        switch self.entries[id]?.phase {
        case .deciding(let death): self.restart(id, at: time, after: sibling, death, at: now)
        case .restarting(var restart):
            restart.at = max(time, restart.at)
            restart.after = sibling
            self.entries[id]?.phase = .restarting(restart)
            self.leaveQueue(.actor(id))
            if let sibling { self.entries[sibling]?.followers.append(id) }
            self.changed.insert(id)
            self.plan(id)
        default: break
        }
    }

    mutating func joinGroup(_ id: UniqueID) {
        guard let owner = self.entries[id]?.supervisor else { return }
        self.entries[owner]?.endingGroup.insert(id)
    }

    /// An actor has ended, or will not start again: when it was the last of its group, the others can.
    mutating func leaveGroup(_ id: UniqueID, at now: Moment) {
        guard let owner = self.entries[id]?.supervisor, self.entries[owner]?.endingGroup.remove(id) != nil,
            let entry = self.entries[owner], entry.endingGroup.isEmpty
        else { return }
        for sibling in self.inOrder(entry.children) { self.startIfReady(sibling, at: now) }
    }

    /// A supervisor gives up: it counts as dead itself. It ends first, and then its children with it; what is to come is
    /// decided as for any death.
    private mutating func escalate(_ supervisor: Entry, _ reason: String, at now: Moment) {
        let death = Death(.restartsExhausted, "\(supervisor.spec.label) gave up: \(reason)")
        self.order(supervisor.spec.id, .kill, death, then: .decide, at: now)
    }
}

extension Registry.Entry {
    /// The owner that restarts it; nil for one that is left to its own restarts.
    var supervisor: UniqueID? { self.spec.isSupervised ? self.spec.owner.actor : nil }
}
