package import MeshCore
package import MeshRuntime

/// How actors begin their lives.
extension Registry {
    /// Lists a new actor and chooses its node, now or when there is room. The caller starts it there by itself.
    ///
    /// - Parameters:
    ///   - holder: the process that gets the first handle.
    ///   - home: the node whose worker that process is, where it is one.
    /// - Throws: `nameTaken`; what `choose` throws; `actorDied` when the owner or the holder has ended already.
    package mutating func spawn(
        _ spec: ActorSpec, holder: PeerID?, of home: PeerID? = nil, at now: Moment
    ) throws(MeshError) -> ActorSpec {
        var spec = spec
        spec.isSupervised = try self.checkOwner(of: spec)
        if let holder, self.gone[holder] != nil {
            throw MeshError(.actorDied, "\(spec.label) cannot be spawned: process \(holder), which asked, has ended.")
        }
        let (request, choice) = try self.check(spec)
        try self.takeName(of: spec)
        let time = spec.options.placementTimeout.map { now.time + min($0.nanoseconds, 1 << 62) }
        self.list(spec, .pending(until: time), on: nil)
        if let holder { self.grant(spec.id, to: holder, of: home) }
        if let choice {
            self.put(spec.id, choice)
        } else {
            self.enqueue(spec.id, request)
            self.placeWaiting()
            self.plan(spec.id)
        }
        return spec
    }

    /// What a new actor asks for, and its place if it need not wait for one: whoever needs nothing of what others wait
    /// for need not wait for them.
    ///
    /// - Throws: what `choose` throws when no node could ever have it; `invalidArgument` for what makes no sense.
    private func check(_ spec: ActorSpec) throws(MeshError) -> (PlacementRequest, Choice?) {
        let request = try PlacementRequest(spec)
        switch request.strategy.kind {
        case .pack, .spread:
            if request.holdsNothing { return (request, try self.choose(request, Remaining())) }
        case .beside(let id), .away(let id):
            guard let other = self.entries[id] else {
                throw MeshError(
                    .actorNotFound, "\(spec.label) is to be beside or away from actor \(id.short), which has ended.")
            }
            // Nobody knows yet where that will be.
            if other.node == nil, request.group == nil {
                var request = request
                request.strategy = .spread
                _ = try self.candidates(for: request)
                return try self.placeIfFree(PlacementRequest(spec))
            }
        }
        _ = try self.candidates(for: request)
        return self.placeIfFree(request)
    }

    private func placeIfFree(_ request: PlacementRequest) -> (PlacementRequest, Choice?) {
        (request, request.holdsNothing ? (try? self.choose(request, Remaining())) ?? nil : nil)
    }

    /// Whether the owner lives and supervises its children.
    private func checkOwner(of spec: ActorSpec) throws(MeshError) -> Bool {
        guard spec.options.lifetime == .owned else { return false }
        let ended = MeshError(.actorDied, "\(spec.label) cannot be spawned: its owner has ended.")
        guard let owner = spec.owner.actor else {
            if self.gone[spec.owner.process] != nil { throw ended }
            return false
        }
        guard let entry = self.entries[owner], entry.spec.incarnation == spec.owner.incarnation else { throw ended }
        switch entry.phase {
        case .starting, .alive, .missing: break
        // One that finishes its last calls may need helpers for them.
        case .ending(let ending) where ending.mode != .kill: break
        case .ending, .deciding, .restarting, .pending: throw ended
        }
        return entry.spec.options.supervision != nil
    }

    mutating func list(_ spec: ActorSpec, _ phase: Phase, on node: PeerID?) {
        let entry = Entry(spec: spec, phase: phase, node: node, order: self.takeOrder())
        self.list(entry)
        if let node { self.enter(spec.id, node) }
    }

    /// Lists an actor, and those that have waited for it as their owner.
    mutating func list(_ entry: Entry) {
        let spec = entry.spec
        self.entries[spec.id] = entry
        self.changed.insert(spec.id)
        for child in self.orphans.removeValue(forKey: spec.id) ?? [] { self.adoptOrphan(child, by: spec) }
        guard spec.options.lifetime == .owned else { return }
        if let owner = spec.owner.actor {
            if self.entries[owner] == nil {
                self.orphans[owner, default: []].insert(spec.id)
            } else {
                self.entries[owner]?.children.insert(spec.id)
            }
        } else {
            self.processes[spec.owner.process, default: ProcessEntry()].children.insert(spec.id)
        }
    }

    /// An actor's initialiser has ended in a process of its node.
    package mutating func started(
        _ id: UniqueID, incarnation: UInt64, at address: PeerAddress, on node: PeerID, at now: Moment
    ) {
        guard let entry = self.entries[id], entry.spec.incarnation == incarnation, entry.phase == .starting else {
            return self.endStray(id, incarnation, on: node)
        }
        // The news of the end of its process has overtaken that of the start.
        if let death = self.gone[address.peer] { return self.died(id, death, at: now) }
        self.enter(id, at: address, on: node)
        self.becomeAlive(id, at: now)
        self.effects.append(
            .event(
                MeshEvent(
                    .actorStarted, date: now.date, subject: entry.spec.label, actor: id, incarnation: incarnation,
                    message: "\(entry.spec.label) has started\(incarnation == 1 ? "." : " again.")")))
        self.releaseFollowers(of: id, at: now)
        // Whoever had it made may have said meanwhile what he holds, and not yet have got the handle.
        if entry.holders.isEmpty { self.postponeRelease(id, until: now.time + self.settings.graceAfterDeath) }
        self.checkRelease(id, at: now)
    }

    mutating func becomeAlive(_ id: UniqueID, at now: Moment) {
        self.entries[id]?.phase = .alive
        self.entries[id]?.hasLived = true
        self.entries[id]?.aliveSince = now.time
        self.changed.insert(id)
        self.effects.append(.changed(id))
        self.plan(id)
    }

    /// What started is not wanted, or not any more. One that is being ended is left to that.
    private mutating func endStray(_ id: UniqueID, _ incarnation: UInt64, on node: PeerID) {
        if let entry = self.entries[id], entry.spec.incarnation == incarnation { return }
        self.effects.append(.end(id, incarnation: incarnation, on: node, .kill, .unknown))
    }

    /// An actor could not be started. Whoever waits for its first life hears the error himself.
    ///
    /// - Parameter isCertain: whether nothing is left of it on its node. If that is not known, the node is told to end
    ///   it, and only then may it be started again.
    package mutating func startFailed(
        _ id: UniqueID, incarnation: UInt64, _ death: Death, isCertain: Bool = true, at now: Moment
    ) {
        guard let entry = self.entries[id], entry.spec.incarnation == incarnation else { return }
        switch entry.phase {
        case .starting where isCertain: self.died(id, death, at: now)
        case .starting: self.order(id, .kill, death, then: .decide, at: now)
        case .ending where isCertain: self.ended(id, incarnation: incarnation, process: death.process, at: now)
        case .ending, .alive, .deciding, .restarting, .missing, .pending: break
        }
    }

    // MARK: Another life

    /// Begins another life: first its children of the last one end, then it starts when its time has come.
    mutating func restart(
        _ id: UniqueID, at time: UInt64, after sibling: UniqueID?, _ death: Death, at now: Moment
    ) {
        guard let entry = self.entries[id] else { return }
        self.entries[id]?.spec.incarnation += 1
        self.entries[id]?.restarts += 1
        self.restartCount += 1
        self.entries[id]?.isReleasing = false
        self.entries[id]?.childRestarts = []
        self.entries[id]?.waitsFor = nil
        self.entries[id]?.phase = .restarting(Restart(at: time, after: sibling, death: death))
        if let sibling { self.entries[sibling]?.followers.append(id) }
        self.changed.insert(id)
        self.effects.append(.changed(id))
        self.effects.append(
            .event(
                MeshEvent(
                    .actorRestarting, date: now.date, subject: entry.spec.label, actor: id,
                    incarnation: entry.spec.incarnation, message: death.message)))
        self.endGroups(of: id, at: now)
        if !entry.children.isEmpty {
            let ownerDied = Death(.ownerDied, "Its owner \(entry.spec.label) died and is started again.")
            for child in self.inOrder(entry.children).reversed() { self.end(child, .kill, ownerDied, at: now) }
        }
        if time > now.time { self.plan(id) } else { self.startIfReady(id, at: now) }
    }

    /// Starts an actor again when nothing stands in the way any more.
    mutating func startIfReady(_ id: UniqueID, at now: Moment) {
        guard let entry = self.entries[id], case .restarting(let restart) = entry.phase, now.time >= restart.at,
            self.isUnhindered(entry, restart), let request = try? PlacementRequest(entry.spec)
        else { return }
        if let group = request.group, self.groups[group]?.isLeaving ?? true {
            let reason = "Its placement group is gone, and it would have been started again there."
            return self.finish(id, Death(.killed, reason), at: now)
        }
        self.changed.insert(id)
        if request.holdsNothing, let choice = try? self.choose(request, Remaining()) {
            self.put(id, choice)
        } else {
            // There may be room later, or a node may come.
            self.enqueue(id, request)
        }
    }

    /// Whether nothing stands in the way of another life but the time.
    func isUnhindered(_ entry: Entry, _ restart: Restart) -> Bool {
        guard entry.children.isEmpty else { return false }
        if let sibling = restart.after, let older = self.entries[sibling], older.phase != .alive { return false }
        if let owner = entry.supervisor, self.entries[owner]?.endingGroup.isEmpty == false { return false }
        return true
    }

    /// Those that were to start after an actor need not wait for it any more, but for the one before it.
    mutating func releaseFollowers(of id: UniqueID, to before: UniqueID? = nil, at now: Moment) {
        guard let followers = self.entries[id]?.followers, !followers.isEmpty else { return }
        self.entries[id]?.followers = []
        for follower in followers {
            switch self.entries[follower]?.phase {
            case .restarting(var restart) where restart.after == id:
                restart.after = before
                self.entries[follower]?.phase = .restarting(restart)
            case .ending(var ending) where ending.next.after == id:
                ending.next.after = before
                self.entries[follower]?.phase = .ending(ending)
            default: continue
            }
            self.changed.insert(follower)
            if let before { self.entries[before]?.followers.append(follower) }
            self.startIfReady(follower, at: now)
        }
    }
}

extension Registry.Ending.Next {
    /// The sibling that has to be alive before the next life begins.
    var after: UniqueID? {
        get { if case .restart(_, let sibling) = self { sibling } else { nil } }
        set { if case .restart(let time, _) = self { self = .restart(at: time, after: newValue) } }
    }
}
