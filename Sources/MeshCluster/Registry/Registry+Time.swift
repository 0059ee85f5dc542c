import HeapModule
import MeshCore
import MeshRuntime

/// What is done when its time has come.
extension Registry {
    /// When to look at an actor or an object. Nobody is taken off the agenda: that an appointment does not hold any more is seen
    /// when its time comes.
    struct Appointment: Comparable, Sendable {
        var time: UInt64
        var order: UInt64
        var actor: UniqueID

        static func < (one: Self, other: Self) -> Bool { (one.time, one.order) < (other.time, other.order) }
    }

    /// When something may be due next; nil for never.
    package var nextDue: UInt64? { self.agenda.min?.time }

    /// Puts an actor for which something is due on the agenda. Called when what it waits for has changed.
    mutating func plan(_ id: UniqueID) {
        guard let entry = self.entries[id], let time = entry.due else { return }
        self.agenda.insert(Appointment(time: time, order: entry.order, actor: id))
    }

    /// Does what is due.
    package mutating func tick(at now: Moment) {
        while let first = self.agenda.min, first.time <= now.time {
            self.agenda.removeMin()
            if first.actor.owner != nil {
                if self.objects[first.actor]?.releaseAt == first.time { self.actOnObject(first.actor, at: now) }
                continue
            }
            if self.entries[first.actor]?.due == first.time { self.act(on: first.actor, at: now) }
            if self.groups[first.actor] != nil { self.endAbsence(of: first.actor, at: now) }
        }
    }

    private mutating func act(on id: UniqueID, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        switch entry.phase {
        case .restarting: self.startIfReady(id, at: now)
        case .pending: self.giveUpWaiting(id, at: now)
        case .missing: self.died(id, Self.nodeStaysAway, at: now)
        case .ending(var ending):
            guard let node = entry.node, self.nodes[node] != nil else {
                return self.died(id, Self.nodeStaysAway, at: now)
            }
            // It has not ended by itself.
            ending.mode = .kill
            ending.due = nil
            self.entries[id]?.phase = .ending(ending)
            self.changed.insert(id)
            self.tellNode(id)
        case .alive:
            if let time = entry.orphanUntil, now.time >= time { return self.endOrphan(id, at: now) }
            self.checkRelease(id, at: now)
        case .starting, .deciding: break
        }
    }

    private static let nodeStaysAway = Death(
        .nodeLost, "Its node did not join again after the broker had been away.")
}

extension Registry.Entry {
    /// When something is due; nil for never.
    var due: UInt64? {
        switch self.phase {
        case .restarting(let restart): restart.at
        case .pending(let time): time
        case .missing(let time): time
        case .ending(let ending): ending.due
        case .alive:
            [self.releaseAt, self.orphanUntil].compactMap(\.self).min()
        case .starting, .deciding: nil
        }
    }

    /// The sibling that has to be alive before its next life begins.
    var waitsAfter: UniqueID? {
        switch self.phase {
        case .restarting(let restart): restart.after
        case .ending(let ending): ending.next.after
        case .pending, .starting, .alive, .deciding, .missing: nil
        }
    }
}
