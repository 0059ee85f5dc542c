package import MeshCore
package import MeshRuntime

/// Who holds whom, and what ends because nobody does (L1).
extension Registry {
    /// A process has been given one more handle to an actor.
    package mutating func grant(_ id: UniqueID, to process: PeerID, grants: Int = 1) {
        guard self.entries[id] != nil, !self.gone.contains(process) else { return }
        self.entries[id]?.holders[process, default: 0] += grants
        self.entries[id]?.wasHeld = true
        self.processes[process, default: ProcessEntry()].holds.insert(id)
    }

    /// What a process says of its handles.
    ///
    /// - Returns: those of the acquired actors that have ended.
    package mutating func report(
        _ changes: HoldChanges, by process: PeerID, on node: PeerID?, at now: Moment
    ) -> [EndedActor] {
        guard !self.gone.contains(process) else { return [] }
        self.processes[process, default: ProcessEntry()].node = node ?? self.processes[process]?.node
        var ended: [EndedActor] = []
        if changes.isComplete { self.forgetHolds(of: process, but: Set(changes.acquired), at: now) }
        for id in changes.acquired {
            if self.entries[id] != nil {
                self.grant(id, to: process)
            } else {
                let reason = self.terminations[id]?.message ?? "Actor \(id.short) has ended."
                ended.append(EndedActor(actor: id, reason: reason))
            }
        }
        for released in changes.released {
            guard let grants = self.entries[released.actor]?.holders[process] else { continue }
            self.entries[released.actor]?.holders[process] = grants > released.grants ? grants - released.grants : nil
            if grants <= released.grants { self.processes[process]?.holds.remove(released.actor) }
            self.checkRelease(released.actor, at: now)
        }
        return ended
    }

    /// A process is about to say everything that it holds. What it does not name it may have been given while its report
    /// was on its way, and then it says so in another one, for which there is a grace.
    private mutating func forgetHolds(of process: PeerID, but named: Set<UniqueID>, at now: Moment) {
        for id in self.processes[process]?.holds ?? [] {
            self.entries[id]?.holders[process] = nil
            self.processes[process]?.holds.remove(id)
            guard !named.contains(id) else { continue }
            self.giveGrace(id, at: now)
            self.checkRelease(id, at: now)
        }
    }

    /// Keeps an actor for a while although nobody may hold it.
    mutating func giveGrace(_ id: UniqueID, at now: Moment) {
        let earliest = self.entries[id]?.releaseAt ?? 0
        self.entries[id]?.releaseAt = max(earliest, now.time + self.settings.graceAfterDeath)
    }

    /// Begins to release an actor that nobody holds: its node says when it has run what it had accepted.
    mutating func checkRelease(_ id: UniqueID, at now: Moment) {
        guard let entry = self.entries[id], entry.phase == .alive, entry.spec.options.lifetime == .owned,
            entry.wasHeld, entry.holders.isEmpty, !entry.isReleasing, let node = entry.node
        else { return }
        if let time = entry.releaseAt, now.time < time {
            self.timed.insert(id)
            return
        }
        self.entries[id]?.releaseAt = nil
        self.timed.remove(id)
        self.entries[id]?.isReleasing = true
        self.effects.append(.awaitIdle(id, incarnation: entry.spec.incarnation, on: node))
    }

    /// An actor that was about to be released has nothing to do; or its process has a handle to it itself.
    package mutating func idle(_ id: UniqueID, incarnation: UInt64, isHeld: Bool, at now: Moment) {
        guard let entry = self.entries[id], entry.spec.incarnation == incarnation, entry.isReleasing else { return }
        self.entries[id]?.isReleasing = false
        guard entry.phase == .alive, entry.holders.isEmpty else { return }
        if isHeld {
            self.entries[id]?.releaseAt = now.time + self.settings.retryTime
            self.timed.insert(id)
            return
        }
        let death = Death(.released, "Nobody has a handle to it any more.")
        self.order(id, .stop(within: self.settings.drainTime), Ending(death: death, next: .finish))
    }
}
