package import MeshCore
import MeshRuntime

/// Those who wait for resources, and how they come to them.
///
/// The rule: they are served in the order in which they came; an actor that is started again stands where it stood when
/// it was first made. Whoever cannot be served keeps one node for himself, the one on which he is nearest to what he
/// needs: of what he needs there those who came after him get only what he leaves. So what is freed there is his until
/// he has all of it, and nobody is starved; and whoever can be served on another node, or by what he does not need, is
/// not held up. Of several who ask for the same only the first keeps a node.
extension Registry {
    /// Gives those who wait what is there for them. Call it after anything that may have freed something; it costs
    /// nothing when nothing was.
    package mutating func placeWaiting() {
        // Where one is put may be what another waits for, who is to be beside it.
        while self.mayPlace {
            self.mayPlace = false
            guard !self.queue.isEmpty else { return }
            var remaining = Remaining()
            var turns = self.queue.makeTurns()
            while let (line, member) = turns.next() {
                guard self.serve(member, line, &remaining) else { continue }
                self.queue.remove(member)
                turns.goOn(with: line, of: self.queue)
            }
        }
    }

    /// Serves one who waits. Returns whether he does not wait any more.
    private mutating func serve(
        _ member: PlacementQueue.Member, _ line: PlacementQueue.Line, _ remaining: inout Remaining
    ) -> Bool {
        switch (member, line) {
        case (.group(let id), _): return self.serveGroup(id, &remaining)
        case (.actor(let id), .request(let request)):
            guard self.mayStart(id) else { return true }
            guard let choice = self.choice(request, &remaining) else { return false }
            self.put(id, choice)
        case (.lease(let id), .request(let request)):
            guard let choice = self.choice(request, &remaining) else { return false }
            self.put(lease: id, choice)
        case (.actor, .group), (.lease, .group): return true
        }
        return true
    }

    /// A place for one whose turn it is, or else nil, and something is set aside for him.
    private func choice(_ request: PlacementRequest, _ remaining: inout Remaining) -> Choice? {
        // What no node could have now waits for one that can.
        guard let choice = try? self.choose(request, remaining) else {
            self.setAside(request, &remaining)
            return nil
        }
        if remaining.changed[choice.pool] != nil {
            // Only so that what is left is right; who has it is noted in the pool itself.
            remaining.changed[choice.pool]?.setAside(choice.grant.amounts)
        }
        return choice
    }

    func setAside(_ request: PlacementRequest, _ remaining: inout Remaining) {
        let candidates = (try? self.candidates(for: request)) ?? []
        let nearest = candidates.min { one, other in
            let (first, second) = (self.pool(one.pool, remaining), self.pool(other.pool, remaining))
            return (first.distance(to: request.amounts), one.name) < (second.distance(to: request.amounts), other.name)
        }
        guard let nearest else { return }
        var pool = self.pool(nearest.pool, remaining)
        pool.setAside(request.amounts)
        remaining.changed[nearest.pool] = pool
    }

    // MARK: Actors

    /// An actor that is to start waits for its place. When there is one it is put there before anything else happens.
    mutating func enqueue(_ id: UniqueID, _ request: PlacementRequest) {
        guard let entry = self.entries[id] else { return }
        self.queue.add(.actor(id), to: .request(request), number: entry.order)
        self.mayPlace = true
    }

    /// Somebody does not wait any more: what was kept for him is there for others.
    mutating func leaveQueue(_ member: PlacementQueue.Member) {
        if self.queue.remove(member) { self.mayPlace = true }
    }

    /// Whether an actor that waits is still to start.
    private func mayStart(_ id: UniqueID) -> Bool {
        guard let entry = self.entries[id] else { return false }
        return switch entry.phase {
        case .pending: true
        case .restarting(let restart): self.isUnhindered(entry, restart)
        case .starting, .alive, .deciding, .ending, .missing: false
        }
    }

    /// Puts an actor on a node and has it started. For a first life whoever spawns it does so, once he hears of it.
    mutating func put(_ id: UniqueID, _ choice: Choice) {
        guard let entry = self.entries[id] else { return }
        let isFirst = entry.phase.isPending
        self.entries[id]?.phase = .starting
        self.entries[id]?.waitsFor = nil
        self.entries[id]?.spec.gpuIDs = choice.grant.gpuIDs.isEmpty ? nil : choice.grant.gpuIDs
        self.enter(id, choice.node, choice.pool)
        self.changed.insert(id)
        if isFirst {
            self.effects.append(.changed(id))
        } else if let spec = self.entries[id]?.spec {
            self.effects.append(.start(spec, on: choice.node))
        }
    }

    /// Why an actor waits, in words; nil when it does not.
    package func waitingReason(of id: UniqueID) -> String? {
        guard case .request(let request)? = self.queue.line(of: .actor(id)) else { return self.entries[id]?.waitsFor }
        return self.waitingReason(request)
    }

    /// A first life was not begun in time.
    mutating func giveUpWaiting(_ id: UniqueID, at now: Moment) {
        let reason = self.waitingReason(of: id) ?? "a node"
        self.finish(id, Death(.notPlaced, "It was not placed in time; it waited for \(reason)."), at: now)
    }

    // MARK: Holding

    /// What an actor has is taken from the place where it is, as long as it is there.
    mutating func hold(_ id: UniqueID, in pool: PoolID) {
        guard let entry = self.entries[id], !entry.needs.isZero else { return }
        let grant = ResourcePool.Grant(amounts: entry.needs, gpuIDs: entry.spec.gpuIDs ?? [])
        self.entries[id]?.pool = pool
        self.change(pool) { $0.give(grant, to: .actor(id)) }
    }

    /// Where the resources of an actor come from that is on a node.
    func pool(of entry: Entry, on node: PeerID) -> PoolID {
        if let known = entry.pool, self.node(of: known) == node { return known }
        guard let group = entry.spec.options.placementGroup?.id, let bundles = self.groups[group]?.bundles else {
            return .node(node)
        }
        let wanted = entry.spec.options.bundle
        let index = bundles.indices.first { index in
            bundles[index].node == node && (wanted ?? index) == index
                && (bundles[index].pool?.couldEver(entry.needs) ?? false)
        }
        return index.map { .bundle(group, $0) } ?? .node(node)
    }

    func node(of pool: PoolID) -> PeerID? {
        switch pool {
        case .node(let peer): peer
        case .bundle(let group, let index): self.groups[group]?.bundles[index].node
        }
    }

    mutating func release(_ claimant: Claimant, from pool: PoolID) {
        self.change(pool) { $0.takeBack(from: claimant) }
        self.mayPlace = true
        if case .bundle(let group, _) = pool { self.sweepGroup(group) }
    }

    /// An actor that has ended itself leaves what it had to its process, which is not gone yet.
    mutating func leaveToProcess(_ id: UniqueID) {
        guard let entry = self.entries[id], let pool = entry.pool, let process = entry.address?.peer,
            entry.spec.options.placement == .process, self.gone[process] == nil,
            let grant = self.pool(pool)?.grants[.actor(id)]
        else { return }
        self.entries[id]?.pool = nil
        self.change(pool) {
            $0.takeBack(from: .actor(id))
            $0.give(grant, to: .process(process))
        }
        self.processes[process, default: ProcessEntry()].remainders.insert(pool)
    }
}

extension Registry.Phase {
    var isPending: Bool { if case .pending = self { true } else { false } }
}
