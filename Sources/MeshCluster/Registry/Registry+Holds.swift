package import MeshCore
package import MeshRuntime

/// Who holds whom, and what ends because nobody does (L1).
extension Registry {
    /// A process has been given one more handle to an actor.
    ///
    /// - Parameter home: the node whose worker that process is, where it is one.
    /// - Returns: whether the handle counts. It does not for a process that has ended or was given up.
    @discardableResult
    package mutating func grant(_ id: UniqueID, to process: PeerID, of home: PeerID? = nil) -> Bool {
        guard self.entries[id] != nil, self.gone[process] == nil else { return false }
        self.entries[id]?.holders[process, default: 0] += 1
        self.entries[id]?.wasHeld = true
        self.processes[process, default: ProcessEntry()].holds.insert(id)
        if let home { self.join(process, home) }
        return true
    }

    /// What a process says of its handles.
    ///
    /// - Returns: those of the acquired actors and objects that have ended, and those of its own objects that it let go
    ///   and that nobody holds.
    package mutating func report(
        _ changes: HoldChanges, by process: PeerID, on node: PeerID?, at now: Moment
    ) -> [EndedActor] {
        guard self.gone[process] == nil else { return [] }
        if let node { self.join(process, node) }
        var ended: [EndedActor] = []
        if changes.isComplete { self.forgetHolds(of: process, but: Set(changes.acquired), at: now) }
        for id in changes.acquired {
            if let owner = id.owner {
                if let end = self.hold(id, of: owner, by: process) { ended.append(end) }
            } else if self.entries[id] != nil {
                self.grant(id, to: process)
            } else if self.mayReturn(id, at: now.time) {
                self.unclaimed[id, default: [:]][process, default: 0] += 1
            } else {
                let reason = self.terminations[id]?.message ?? "Actor \(id.short) has ended."
                ended.append(EndedActor(actor: id, reason: reason))
            }
        }
        for released in changes.released {
            if let owner = released.actor.owner {
                if let end = self.letGo(released, of: owner, by: process, at: now) { ended.append(end) }
                continue
            }
            self.unclaimed[released.actor]?[process] = nil
            guard let grants = self.entries[released.actor]?.holders[process] else { continue }
            self.entries[released.actor]?.holders[process] = grants > released.grants ? grants - released.grants : nil
            guard grants <= released.grants else { continue }
            self.processes[process]?.holds.remove(released.actor)
            self.checkRelease(released.actor, at: now)
        }
        self.forgetIfEmpty(process)
        return ended
    }

    /// Whether nothing is known of an actor because its node has not come back yet to a new broker.
    package func mayReturn(_ id: UniqueID, at time: UInt64) -> Bool {
        time < self.expectsReturnsUntil && self.entries[id] == nil && self.terminations[id] == nil
    }

    /// There was a broker before, whose nodes may come back within a time.
    package mutating func expectReturns(until time: UInt64) { self.expectsReturnsUntil = time }

    /// What was said of an actor before its node came back holds now.
    mutating func claim(_ id: UniqueID) {
        for (process, grants) in self.unclaimed.removeValue(forKey: id) ?? [:] where self.gone[process] == nil {
            self.entries[id]?.holders[process] = grants
            self.processes[process, default: ProcessEntry()].holds.insert(id)
        }
    }

    /// A process is about to say everything that it holds. What it does not name it may have been given while its report
    /// was on its way, and then it says so in another one, for which there is a grace.
    private mutating func forgetHolds(of process: PeerID, but named: Set<UniqueID>, at now: Moment) {
        self.forgetObjects(of: process, but: named, at: now)
        for id in self.unclaimed.keys { self.unclaimed[id]?[process] = nil }
        let held = self.inOrder(self.processes[process]?.holds ?? [])
        self.processes[process]?.holds = []
        for id in held {
            self.entries[id]?.holders[process] = nil
            guard !named.contains(id) else { continue }
            self.postponeRelease(id, until: now.time + self.settings.graceAfterDeath)
        }
    }

    /// Begins to release an actor that nobody holds: its node says when it has run what it had accepted.
    mutating func checkRelease(_ id: UniqueID, at now: Moment) {
        guard let entry = self.entries[id], entry.phase == .alive, entry.spec.options.lifetime == .owned,
            entry.wasHeld, !entry.isReleasing, let node = entry.node
        else { return }
        if let time = entry.releaseAt, now.time < time { return }
        self.entries[id]?.releaseAt = nil
        self.plan(id)
        guard entry.holders.isEmpty else { return }
        self.entries[id]?.isReleasing = true
        self.effects.append(.awaitIdle(id, incarnation: entry.spec.incarnation, on: node))
    }

    /// Not before a time may an actor be released.
    mutating func postponeRelease(_ id: UniqueID, until time: UInt64) {
        guard let entry = self.entries[id], entry.spec.options.lifetime == .owned else { return }
        self.entries[id]?.releaseAt = max(time, entry.releaseAt ?? 0)
        self.plan(id)
    }

    /// An actor that was about to be released has nothing to do; or its process has a handle to it itself.
    package mutating func idle(_ id: UniqueID, incarnation: UInt64, isHeld: Bool, at now: Moment) {
        guard let entry = self.entries[id], entry.spec.incarnation == incarnation, entry.isReleasing else { return }
        self.entries[id]?.isReleasing = false
        guard entry.phase == .alive, entry.holders.isEmpty else { return }
        let retryTime = self.settings.retryTime
        if isHeld { return self.postponeRelease(id, until: now.time + retryTime) }
        // The last one that held it has died since: a handle may be on its way.
        if entry.releaseAt != nil { return self.checkRelease(id, at: now) }
        let death = Death(.released, "Nobody has a handle to it any more.")
        self.order(id, .stop(within: self.settings.drainTime), death, then: .finish, at: now)
    }
}
