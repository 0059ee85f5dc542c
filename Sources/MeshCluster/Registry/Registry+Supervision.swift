import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// What supervisors do about the deaths of their children.
extension Registry {
    /// The living owner of an actor that supervises it.
    func supervisor(of entry: Entry) -> Entry? {
        guard let owner = entry.spec.owner.actor, let supervisor = self.entries[owner],
            supervisor.phase == .alive || supervisor.phase == .starting, supervisor.spec.options.supervision != nil
        else { return nil }
        return supervisor
    }

    /// Asks the supervisor about a child that died, if its type decides; else the supervision holds at once.
    mutating func ask(_ supervisor: Entry, about child: UniqueID, _ death: Death, at now: Moment) {
        guard let entry = self.entries[child] else { return }
        guard supervisor.spec.isSupervisor, supervisor.phase == .alive, let node = supervisor.node else {
            return self.restartSupervised(child, by: supervisor, death, at: now)
        }
        self.entries[child]?.phase = .deciding(death)
        self.entries[child]?.waitsFor = "its supervisor \(supervisor.spec.label) decides about it"
        self.changed.insert(child)
        self.effects.append(.changed(child))
        self.effects.append(
            .ask(
                supervisor.spec.id, incarnation: supervisor.spec.incarnation, on: node,
                about: self.termination(of: entry, death, date: now.date)))
    }

    /// A supervisor has decided, or could not be asked.
    package mutating func decided(
        _ child: UniqueID, incarnation: UInt64, _ decision: Supervision.Decision, at now: Moment
    ) {
        guard let entry = self.entries[child], entry.spec.incarnation == incarnation,
            case .deciding(let death) = entry.phase
        else { return }
        self.entries[child]?.waitsFor = nil
        guard let supervisor = self.supervisor(of: entry) else {
            return self.finish(child, death, at: now)
        }
        switch decision {
        case .restart: self.restartSupervised(child, by: supervisor, death, at: now)
        case .stop: self.finish(child, death, at: now)
        case .escalate:
            let reason = "it escalated the death of \(entry.spec.label): \(death.message)"
            self.escalate(supervisor.spec.id, reason, at: now)
        }
    }

    /// Restarts a child, and those that its supervisor's strategy adds.
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
            return self.escalate(supervisor.spec.id, reason, at: now)
        }
        let time = now.time + supervision.backoff.delay(after: recent.count).nanoseconds
        recent.append(now.time)
        self.entries[supervisor.spec.id]?.childRestarts = recent
        let others: [UniqueID]
        switch supervision.strategy {
        case .oneForOne: others = []
        case .oneForAll: others = supervisor.children.filter { $0 != child }
        case .restForOne: others = supervisor.children.drop { $0 != child }.filter { $0 != child }
        }
        // In the order of their making each waits for the one before it.
        var after: [UniqueID: UniqueID] = [:]
        var last: UniqueID?
        for sibling in supervisor.children where sibling == child || others.contains(sibling) {
            after[sibling] = last
            last = sibling
        }
        let cause = Death(.killed, "It is started again because \(entry.spec.label) died: \(death.message)")
        for sibling in others.reversed() {
            self.restartWithSibling(sibling, at: time, after: after[sibling], cause, at: now)
        }
        self.restart(child, at: time, after: after[child], death, at: now)
    }

    private mutating func restartWithSibling(
        _ id: UniqueID, at time: UInt64, after sibling: UniqueID?, _ death: Death, at now: Moment
    ) {
        guard let entry = self.entries[id] else { return }
        switch entry.phase {
        case .starting, .alive:
            self.order(id, .kill, Ending(death: death, next: .restart(at: time, after: sibling)))
        case .deciding, .missing:
            self.restart(id, at: time, after: sibling, death, at: now)
        case .restarting(let restart):
            let later = Restart(at: max(time, restart.at), after: sibling, death: restart.death)
            self.entries[id]?.phase = .restarting(later)
        case .ending(let ending):
            // One that was to end for good does.
            guard ending.next != .finish else { return }
            self.entries[id]?.phase = .ending(Ending(death: ending.death, next: .restart(at: time, after: sibling)))
        }
    }

    /// A supervisor gives up: it counts as dead itself.
    private mutating func escalate(_ id: UniqueID, _ reason: String, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        let death = Death(.restartsExhausted, "\(entry.spec.label) gave up: \(reason)")
        switch entry.phase {
        case .alive, .starting:
            // It ends first, and then its children with it; what is to come is decided as for any death.
            self.order(id, .kill, Ending(death: death, next: .restartIfAllowed))
        case .deciding, .restarting, .ending, .missing: break
        }
    }
}
