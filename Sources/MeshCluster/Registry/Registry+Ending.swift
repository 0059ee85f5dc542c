import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// How actors die and are ended.
extension Registry {
    // MARK: Death

    /// A life of an actor is over.
    mutating func died(_ id: UniqueID, _ death: Death, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        self.leaveNode(id)
        switch entry.phase {
        case .ending(let ending): self.proceed(id, ending, death.process, at: now)
        case .starting, .alive, .missing: self.decide(id, death, at: now)
        case .pending, .deciding, .restarting: break
        }
    }

    /// What follows when an actor has died, unasked for: it is started again if it may be.
    private mutating func decide(_ id: UniqueID, _ death: Death, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        // Whoever spawns it hears of it.
        guard entry.hasLived else { return self.finish(id, death, at: now) }
        self.lieDead(id, death)
        if let supervisor = self.supervisor(of: entry) {
            self.ask(supervisor, about: id, death, at: now)
        } else {
            self.restartIfAllowed(id, death, at: now)
        }
    }

    /// A life is over, and what follows is not decided.
    private mutating func lieDead(_ id: UniqueID, _ death: Death) {
        self.entries[id]?.phase = .deciding(death)
        self.entries[id]?.isReleasing = false
        self.changed.insert(id)
        self.effects.append(.changed(id))
    }

    private mutating func restartIfAllowed(_ id: UniqueID, _ death: Death, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        if let supervisor = self.supervisor(of: entry) {
            return self.restartSupervised(id, by: supervisor, death, at: now)
        }
        let options = entry.spec.options
        if let most = options.maxRestarts.count, entry.restarts >= most {
            var death = death
            // One that was killed or never might be restarted ended of that.
            if most > 0, death.cause != .killed {
                death.message = "\(death.message) It had been restarted \(entry.restarts) times, as often as it may be."
                death.cause = .restartsExhausted
            }
            return self.finish(id, death, at: now)
        }
        let isStable = now.time >= entry.aliveSince + options.backoff.resetAfter.nanoseconds
        let inARow = isStable ? 0 : entry.restartsInARow
        self.entries[id]?.restartsInARow = inARow + 1
        let time = now.time + options.backoff.delay(after: inARow).nanoseconds
        self.restart(id, at: time, after: nil, death, at: now)
    }

    // MARK: Ending

    /// Ends an actor from outside. One that has ended is left alone; one that is dead and about to be started again is
    /// so anyway when that is asked for.
    package mutating func kill(_ id: UniqueID, restart: Bool, by whom: String, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        let death = Death(.killed, "It was killed\(whom).")
        guard restart else { return self.end(id, .kill, death, at: now) }
        switch entry.phase {
        case .starting, .alive, .missing: self.order(id, .kill, death, then: .restartIfAllowed, at: now)
        // One that was never started begins as soon as it can anyway.
        case .pending, .deciding, .restarting, .ending: break
        }
    }

    /// Lets an actor finish what it has accepted, and ends it.
    package mutating func stop(_ id: UniqueID, within time: UInt64, at now: Moment) {
        self.end(id, .stop(within: time), Death(.stopped, "It was told to stop."), at: now)
    }

    /// Whether a life of an actor is being ended, so that it makes sense to wait for its end.
    package func isEnding(_ id: UniqueID, incarnation: UInt64) -> Bool {
        guard let entry = self.entries[id], entry.spec.incarnation == incarnation, case .ending = entry.phase else {
            return false
        }
        return true
    }

    /// Why an actor that is being ended does not live again; nil when it may, or is not being ended.
    package func finalReason(of id: UniqueID) -> String? {
        guard let entry = self.entries[id], case .ending(let ending) = entry.phase, ending.next == .finish else {
            return nil
        }
        return "\(entry.spec.label) (\(id.short)) is ending: \(ending.death.message)"
    }

    /// Begins to end an actor for good, in whatever phase it is.
    package mutating func end(_ id: UniqueID, _ mode: EndMode, _ death: Death, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        switch entry.phase {
        case .starting, .alive, .missing: self.order(id, mode, death, then: .finish, at: now)
        case .ending(let ending): self.hasten(id, ending, mode, death, at: now)
        case .pending, .deciding, .restarting: self.finish(id, death, at: now)
        }
    }

    /// One that is being ended already is to be ended, perhaps sooner, and for good.
    private mutating func hasten(
        _ id: UniqueID, _ ending: Ending, _ mode: EndMode, _ death: Death, at now: Moment
    ) {
        var ending = ending
        let before = ending.next.after
        // What ended it first is why it ended, unless it was to live again.
        if ending.next != .finish { ending.death = death }
        ending.next = .finish
        let isThere = self.isOnKnownNode(id)
        switch (mode, ending.mode) {
        case (.kill, _):
            ending.mode = .kill
            if isThere { ending.due = nil }
        case (.stop(let time), .stop): ending.due = min(ending.due ?? .max, self.deadline(time, now))
        case (.stop, .kill): break
        }
        self.entries[id]?.phase = .ending(ending)
        self.changed.insert(id)
        self.plan(id)
        if mode == .kill { self.tellNode(id) }
        self.releaseFollowers(of: id, to: before, at: now)
        self.leaveGroup(id, at: now)
    }

    /// Has its node end an actor.
    mutating func order(
        _ id: UniqueID, _ mode: EndMode, _ death: Death, then next: Ending.Next, at now: Moment
    ) {
        guard let entry = self.entries[id] else { return }
        var ending = Ending(death: death, next: next, mode: mode)
        if case .stop(let time) = mode { ending.due = self.deadline(time, now) }
        // A node that is not there is told when it comes.
        if case .missing(let until) = entry.phase { ending.due = until }
        self.entries[id]?.phase = .ending(ending)
        self.entries[id]?.isReleasing = false
        self.changed.insert(id)
        self.effects.append(.changed(id))
        self.plan(id)
        self.tellNode(id)
        switch next {
        case .finish: self.releaseFollowers(of: id, at: now)
        case .restart: self.joinGroup(id)
        case .decide, .restartIfAllowed: break
        }
    }

    /// When an actor that was to stop within a time has to be killed.
    func deadline(_ time: UInt64, _ now: Moment) -> UInt64 {
        now.time + min(time, 1 << 62) + self.settings.retryTime
    }

    func isOnKnownNode(_ id: UniqueID) -> Bool {
        self.entries[id]?.node.map { self.nodes[$0] != nil } ?? false
    }

    /// Tells the node of an actor how to end it.
    mutating func tellNode(_ id: UniqueID) {
        guard let entry = self.entries[id], case .ending(let ending) = entry.phase, let node = entry.node,
            self.nodes[node] != nil
        else { return }
        self.effects.append(
            .end(id, incarnation: entry.spec.incarnation, on: node, ending.mode, ending.death.cause))
    }

    /// A node has ended an actor, as it was told to, or had nothing to end.
    package mutating func ended(
        _ id: UniqueID, incarnation: UInt64, process: ProcessEnd?, at now: Moment
    ) {
        guard let entry = self.entries[id], entry.spec.incarnation == incarnation,
            case .ending(let ending) = entry.phase
        else { return }
        self.leaveNode(id)
        self.proceed(id, ending, process, at: now)
    }

    private mutating func proceed(_ id: UniqueID, _ ending: Ending, _ process: ProcessEnd?, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        var death = ending.death
        if death.process == nil { death.process = process }
        self.lieDead(id, death)
        self.leaveGroup(id, at: now)
        switch ending.next {
        case _ where !entry.hasLived: self.finish(id, death, at: now)
        case .finish: self.finish(id, death, at: now)
        case .decide: self.decide(id, death, at: now)
        case .restartIfAllowed: self.restartIfAllowed(id, death, at: now)
        case .restart(let time, let sibling): self.restart(id, at: time, after: sibling, death, at: now)
        }
    }

    /// An actor has ended itself.
    package mutating func exited(_ id: UniqueID, incarnation: UInt64, at now: Moment) {
        guard let entry = self.entries[id], entry.spec.incarnation == incarnation else { return }
        self.leaveToProcess(id)
        switch entry.phase {
        case .ending(let ending) where ending.next == .finish: self.finish(id, ending.death, at: now)
        default: self.finish(id, Death(.exited, "It ended itself."), at: now)
        }
    }

    // MARK: The end

    /// An actor is no more. Its name is free, its children end, and so may what it held.
    mutating func finish(_ id: UniqueID, _ death: Death, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        let termination = self.termination(of: entry, death, date: now.date)
        self.leaveNode(id)
        self.leaveGroup(id, at: now)
        self.releaseFollowers(of: id, to: entry.waitsAfter, at: now)
        self.entries[id] = nil
        self.freeName(of: entry.spec)
        self.leaveQueue(.actor(id))
        self.mayPlace = true
        self.endGroups(of: id, at: now)
        self.changed.insert(id)
        for holder in entry.holders.keys { self.processes[holder]?.holds.remove(id) }
        self.remember(termination)
        self.effects.append(.changed(id))
        self.effects.append(
            .event(
                MeshEvent(
                    .actorEnded, date: now.date, subject: entry.spec.label, actor: id,
                    incarnation: entry.spec.incarnation, termination: termination, message: termination.message)))
        if !entry.children.isEmpty {
            let deadline = entry.drainDeadline ?? now.time + self.settings.drainTime
            let ownerDied = Death(.ownerDied, "Its owner \(entry.spec.label) has ended: \(death.message)")
            for child in self.inOrder(entry.children).reversed() {
                self.endWithOwner(child, until: deadline, ownerDied, at: now)
            }
        }
        self.leaveOwner(entry, at: now)
    }

    /// Ends an actor because its owner has, after the calls that it has accepted.
    mutating func endWithOwner(_ id: UniqueID, until deadline: UInt64, _ death: Death, at now: Moment) {
        self.entries[id]?.drainDeadline = deadline
        let mode: EndMode = deadline > now.time ? .stop(within: deadline - now.time) : .kill
        self.end(id, mode, death, at: now)
    }

    private mutating func leaveOwner(_ entry: Entry, at now: Moment) {
        let id = entry.spec.id
        guard entry.spec.options.lifetime == .owned else { return }
        if let owner = entry.spec.owner.actor {
            if self.orphans[owner]?.remove(id) != nil, self.orphans[owner]?.isEmpty == true {
                self.orphans[owner] = nil
            }
            self.entries[owner]?.children.remove(id)
            // It may wait for the end of its children of an earlier life.
            self.startIfReady(owner, at: now)
        } else {
            self.processes[entry.spec.owner.process]?.children.remove(id)
            self.forgetIfEmpty(entry.spec.owner.process)
        }
    }

    // MARK: What is remembered

    func termination(of entry: Entry, _ death: Death, date: Date) -> ActorTermination {
        ActorTermination(
            actor: entry.spec.id, typeName: entry.spec.displayType, name: entry.spec.options.name,
            namespace: entry.spec.options.namespace ?? Self.defaultNamespace, incarnation: entry.spec.incarnation,
            cause: death.cause, process: death.process,
            message: "\(entry.spec.label) (\(entry.spec.id.short)) has ended: \(death.message)",
            node: entry.nodeName, date: date)
    }

    mutating func remember(_ termination: ActorTermination) {
        self.terminations[termination.actor] = termination
        self.terminationOrder.append(termination.actor)
        guard self.terminationOrder.count > self.settings.remembered * 5 / 4 else { return }
        // Forgotten a number at a time, so that it costs nothing by the actor.
        let count = self.terminationOrder.count - self.settings.remembered
        for id in self.terminationOrder.prefix(count) { self.terminations[id] = nil }
        self.terminationOrder.removeFirst(count)
    }
}
