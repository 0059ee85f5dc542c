import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// How actors begin and end.
extension Registry {
    package mutating func takeEffects() -> [Effect] {
        defer { self.effects = [] }
        return self.effects
    }

    /// The actors that have changed since the last time, to be written down.
    package mutating func takeChanged() -> Set<UniqueID> {
        defer { self.changed = [] }
        return self.changed
    }

    // MARK: Beginning

    /// Lists a new actor and chooses its node. The caller starts it there by itself.
    ///
    /// - Parameter holder: the process that gets the first handle.
    /// - Throws: `nameTaken`; what `place` throws; `actorDied` when the owner has ended already.
    package mutating func spawn(_ spec: ActorSpec, holder: PeerID?) throws(MeshError) -> ActorSpec {
        var spec = spec
        spec.isSupervised = try self.checkOwner(of: spec)
        let node = try self.place(spec).registration.address.peer
        try self.takeName(of: spec)
        self.list(spec, .starting, on: node)
        if let holder { self.grant(spec.id, to: holder) }
        return spec
    }

    /// Whether the owner lives and supervises its children.
    private func checkOwner(of spec: ActorSpec) throws(MeshError) -> Bool {
        guard spec.options.lifetime == .owned else { return false }
        let ended = MeshError(.actorDied, "\(spec.label) cannot be spawned: its owner has ended.")
        guard let owner = spec.owner.actor else {
            if self.gone.contains(spec.owner.process) { throw ended }
            return false
        }
        guard let entry = self.entries[owner], entry.spec.incarnation == spec.owner.incarnation else { throw ended }
        switch entry.phase {
        case .starting, .alive, .missing: break
        // One that finishes its last calls may need helpers for them.
        case .ending(let ending) where ending.death.cause != .killed: break
        case .ending, .deciding, .restarting: throw ended
        }
        return entry.spec.options.supervision != nil
    }

    mutating func list(_ spec: ActorSpec, _ phase: Phase, on node: PeerID?) {
        self.entries[spec.id] = Entry(spec: spec, phase: phase, node: node, order: self.nextOrder)
        self.nextOrder += 1
        self.changed.insert(spec.id)
        if let node { self.enter(spec.id, node) }
        guard spec.options.lifetime == .owned else { return }
        if let owner = spec.owner.actor {
            self.entries[owner]?.children.append(spec.id)
        } else {
            self.processes[spec.owner.process, default: ProcessEntry()].children.append(spec.id)
        }
    }

    /// An actor's initialiser has ended in a process of its node.
    package mutating func started(
        _ id: UniqueID, incarnation: UInt64, at address: PeerAddress, on node: PeerID, at now: Moment
    ) {
        guard let entry = self.entries[id], entry.spec.incarnation == incarnation, entry.phase == .starting else {
            return self.endStray(id, incarnation, on: node)
        }
        self.entries[id]?.phase = .alive
        self.entries[id]?.address = address
        self.entries[id]?.aliveSince = now.time
        self.entries[id]?.waitsFor = nil
        self.processes[address.peer, default: ProcessEntry()].node = node
        self.changed.insert(id)
        self.effects.append(.changed(id))
        let label = entry.spec.label
        self.effects.append(
            .event(
                MeshEvent(
                    .actorStarted, date: now.date, subject: label, actor: id, incarnation: incarnation,
                    message: incarnation == 1 ? "\(label) has started." : "\(label) has been started again.")))
        self.startFollowers(of: id, at: now)
        // Whoever had it made may have said meanwhile what he holds, and not yet have got the handle.
        if entry.holders.isEmpty { self.giveGrace(id, at: now) }
        self.checkRelease(id, at: now)
    }

    /// What started is not wanted, or not any more. One that is being ended is left to that.
    private mutating func endStray(_ id: UniqueID, _ incarnation: UInt64, on node: PeerID) {
        if let entry = self.entries[id], entry.spec.incarnation == incarnation { return }
        self.effects.append(.end(id, incarnation: incarnation, on: node, .kill, .unknown))
    }

    /// An actor could not be started. Whoever waits for its first life hears the error himself.
    package mutating func startFailed(
        _ id: UniqueID, incarnation: UInt64, _ death: Death, at now: Moment
    ) {
        guard let entry = self.entries[id], entry.spec.incarnation == incarnation else { return }
        switch entry.phase {
        case .starting where entry.restarts == 0: self.finish(id, death, at: now)
        case .starting: self.died(id, death, at: now)
        case .ending: self.ended(id, incarnation: incarnation, process: death.process, at: now)
        case .alive, .deciding, .restarting, .missing: break
        }
    }

    // MARK: Death

    /// A life of an actor is over, unasked for. It is started again if it may be.
    mutating func died(_ id: UniqueID, _ death: Death, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        self.leaveNode(id)
        if case .ending(let ending) = entry.phase {
            return self.proceed(id, ending, death.process, at: now)
        }
        if entry.phase == .starting, entry.restarts == 0 {
            // Whoever spawns it hears of it.
            return self.finish(id, death, at: now)
        }
        if let owner = self.supervisor(of: entry), entry.spec.isSupervised {
            return self.ask(owner, about: id, death, at: now)
        }
        self.restartIfAllowed(id, death, at: now)
    }

    mutating func restartIfAllowed(_ id: UniqueID, _ death: Death, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        if let owner = self.supervisor(of: entry), entry.spec.isSupervised {
            return self.restartSupervised(id, by: owner, death, at: now)
        }
        if let most = entry.spec.options.maxRestarts.count, entry.restarts >= most {
            var death = death
            // One that was killed or never might be restarted ended of that.
            if most > 0, death.cause != .killed {
                death.message = "\(death.message) It had been restarted \(entry.restarts) times, as often as it may be."
                death.cause = .restartsExhausted
            }
            return self.finish(id, death, at: now)
        }
        let isStable = entry.aliveSince > 0 && now.time >= entry.aliveSince + entry.spec.options.backoff.resetAfter.nanoseconds
        let inARow = isStable ? 0 : entry.restartsInARow
        let delay = entry.spec.options.backoff.delay(after: inARow).nanoseconds
        self.entries[id]?.restartsInARow = inARow + 1
        self.restart(id, at: now.time + delay, after: nil, death, at: now)
    }

    /// Begins another life: first its children of the last one end, then it starts when its time has come.
    mutating func restart(
        _ id: UniqueID, at time: UInt64, after sibling: UniqueID?, _ death: Death, at now: Moment
    ) {
        guard let entry = self.entries[id] else { return }
        self.entries[id]?.spec.incarnation += 1
        self.entries[id]?.restarts += 1
        self.entries[id]?.aliveSince = 0
        self.entries[id]?.isReleasing = false
        self.entries[id]?.childRestarts = []
        self.entries[id]?.phase = .restarting(Restart(at: time, after: sibling, death: death))
        self.timed.insert(id)
        self.changed.insert(id)
        self.effects.append(.changed(id))
        self.effects.append(
            .event(
                MeshEvent(
                    .actorRestarting, date: now.date, subject: entry.spec.label, actor: id,
                    incarnation: entry.spec.incarnation, message: death.message)))
        let ownerDied = Death(.ownerDied, "Its owner \(entry.spec.label) died and is started again.")
        for child in entry.children.reversed() { self.end(child, .kill, ownerDied, at: now) }
        self.startIfReady(id, at: now)
    }

    /// Starts an actor again when nothing stands in the way any more.
    mutating func startIfReady(_ id: UniqueID, at now: Moment) {
        guard let entry = self.entries[id], case .restarting(let restart) = entry.phase, now.time >= restart.at,
            entry.children.isEmpty
        else { return }
        if let sibling = restart.after, let older = self.entries[sibling], older.phase != .alive { return }
        do throws(MeshError) {
            let node = try self.place(entry.spec).registration.address.peer
            self.entries[id]?.phase = .starting
            self.enter(id, node)
            self.entries[id]?.waitsFor = nil
            self.timed.remove(id)
            self.effects.append(.start(entry.spec, on: node))
        } catch {
            // A node may come yet.
            self.entries[id]?.waitsFor = error.message
            self.entries[id]?.phase = .restarting(
                Restart(at: now.time + self.settings.retryTime, after: restart.after, death: restart.death))
        }
    }

    private mutating func startFollowers(of id: UniqueID, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        for sibling in self.siblings(of: entry) { self.startIfReady(sibling, at: now) }
    }

    // MARK: Ending

    /// Ends an actor from outside. One that has ended is left alone.
    package mutating func kill(_ id: UniqueID, restart: Bool, by whom: String, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        let death = Death(.killed, "It was killed\(whom).")
        if restart {
            guard entry.phase == .alive || entry.phase == .starting else { return }
            return self.order(id, .kill, Ending(death: death, next: .restartIfAllowed))
        }
        self.end(id, .kill, death, at: now)
    }

    /// Lets an actor finish what it has accepted, and ends it.
    package mutating func stop(_ id: UniqueID, within time: UInt64, at now: Moment) {
        self.end(id, .stop(within: time), Death(.stopped, "It was told to stop."), at: now)
    }

    /// Begins to end an actor for good, in whatever phase it is.
    mutating func end(_ id: UniqueID, _ mode: EndMode, _ death: Death, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        switch entry.phase {
        case .starting, .alive:
            self.order(id, mode, Ending(death: death, next: .finish))
        case .ending(let ending):
            // What ended it first is why it ended, unless it was to live again.
            let isFinal = ending.next == .finish
            self.entries[id]?.phase = .ending(Ending(death: isFinal ? ending.death : death, next: .finish))
            if mode == .kill { self.tellNode(id, .kill, death.cause) }
        case .deciding, .restarting, .missing:
            self.finish(id, death, at: now)
        }
    }

    mutating func order(_ id: UniqueID, _ mode: EndMode, _ ending: Ending) {
        self.entries[id]?.phase = .ending(ending)
        self.changed.insert(id)
        self.effects.append(.changed(id))
        self.tellNode(id, mode, ending.death.cause)
    }

    private mutating func tellNode(_ id: UniqueID, _ mode: EndMode, _ cause: ActorTermination.Cause) {
        guard let entry = self.entries[id], let node = entry.node else { return }
        self.effects.append(.end(id, incarnation: entry.spec.incarnation, on: node, mode, cause))
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

    private mutating func proceed(
        _ id: UniqueID, _ ending: Ending, _ process: ProcessEnd?, at now: Moment
    ) {
        var death = ending.death
        if death.process == nil { death.process = process }
        switch ending.next {
        case .finish:
            self.finish(id, death, at: now)
        case .restartIfAllowed:
            self.entries[id]?.phase = .alive
            self.restartIfAllowed(id, death, at: now)
        case .restart(let time, let sibling):
            self.restart(id, at: time, after: sibling, death, at: now)
        }
    }

    /// An actor has ended itself.
    package mutating func exited(_ id: UniqueID, incarnation: UInt64, at now: Moment) {
        guard let entry = self.entries[id], entry.spec.incarnation == incarnation else { return }
        self.leaveNode(id)
        if case .ending(let ending) = entry.phase, ending.next == .finish {
            return self.finish(id, ending.death, at: now)
        }
        self.finish(id, Death(.exited, "It ended itself."), at: now)
    }

    /// An actor is no more. Its name is free, its children end, and so may what it held.
    mutating func finish(_ id: UniqueID, _ death: Death, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        let termination = self.termination(of: entry, death, date: now.date)
        self.leaveNode(id)
        self.entries[id] = nil
        self.freeName(of: entry.spec)
        self.timed.remove(id)
        self.changed.insert(id)
        for holder in entry.holders.keys { self.processes[holder]?.holds.remove(id) }
        self.remember(termination)
        self.effects.append(.changed(id))
        self.effects.append(
            .event(
                MeshEvent(
                    .actorEnded, date: now.date, subject: entry.spec.label, actor: id,
                    incarnation: entry.spec.incarnation, termination: termination, message: termination.message)))
        let deadline = entry.drainDeadline ?? now.time + self.settings.drainTime
        let ownerDied = Death(.ownerDied, "Its owner \(entry.spec.label) has ended: \(death.message)")
        for child in entry.children.reversed() {
            self.endWithOwner(child, until: deadline, ownerDied, at: now)
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
        guard entry.spec.options.lifetime == .owned else { return }
        if let owner = entry.spec.owner.actor {
            self.entries[owner]?.children.removeAll { $0 == entry.spec.id }
            // It may wait for the end of its children of an earlier life.
            self.startIfReady(owner, at: now)
        } else {
            self.processes[entry.spec.owner.process]?.children.removeAll { $0 == entry.spec.id }
            self.forgetIfEmpty(entry.spec.owner.process)
        }
        // Those that were to start after it need not wait any more.
        for sibling in self.siblings(of: entry) { self.startIfReady(sibling, at: now) }
    }

    /// The children of the same owner.
    func siblings(of entry: Entry) -> [UniqueID] {
        if let owner = entry.spec.owner.actor { return self.entries[owner]?.children ?? [] }
        return []
    }

    mutating func enter(_ id: UniqueID, _ node: PeerID) {
        self.entries[id]?.node = node
        self.entries[id]?.nodeName = self.nodes[node]?.registration.name ?? ""
        self.nodes[node]?.actors.insert(id)
    }

    mutating func leaveNode(_ id: UniqueID) {
        if let node = self.entries[id]?.node { self.nodes[node]?.actors.remove(id) }
        self.entries[id]?.node = nil
        self.entries[id]?.address = nil
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

    private mutating func remember(_ termination: ActorTermination) {
        self.terminations[termination.actor] = termination
        self.terminationOrder.append(termination.actor)
        guard self.terminationOrder.count > self.settings.remembered * 5 / 4 else { return }
        // Forgotten a number at a time, so that it costs nothing by the actor.
        let count = self.terminationOrder.count - self.settings.remembered
        for id in self.terminationOrder.prefix(count) { self.terminations[id] = nil }
        self.terminationOrder.removeFirst(count)
    }
}
