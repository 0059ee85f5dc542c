package import MeshCore
package import MeshRuntime

/// What of a registry is written down, so that another can begin where this one ended.
///
/// Everything that changed goes into the store, at once and together, before the effects of the change are done. Who
/// holds an actor is not written: the holders say it again, each completely.
extension Registry {
    /// An actor as it is written down.
    package struct Record: Hashable, Sendable, Codable {
        package var spec: ActorSpec
        /// The times in it mean nothing to another broker.
        package var phase: Phase
        package var order: UInt64
        package var hasLived: Bool
        package var restarts: Int
        package var restartsInARow: Int
        package var node: PeerID?
        package var nodeName: String
        /// The node's process, while it is known.
        package var nodeAddress: PeerAddress?
    }

    /// What to write down of an actor; nil when it has ended, and then ``terminations`` says how.
    package func record(of id: UniqueID) -> Record? {
        self.entries[id].map { entry in
            Record(
                spec: entry.spec, phase: entry.phase, order: entry.order, hasLived: entry.hasLived,
                restarts: entry.restarts, restartsInARow: entry.restartsInARow, node: entry.node,
                nodeName: entry.nodeName,
                nodeAddress: entry.node.flatMap { self.nodes[$0]?.registration.address })
        }
    }

    /// The registry that continues with what another wrote down. Its actors are missing until their nodes join.
    ///
    /// - Parameters:
    ///   - terminations: how actors ended, the oldest first.
    ///   - patience: for how long the node at an address may stay away, in nanoseconds: until then it may act without
    ///     a broker, and what it has must not begin elsewhere. Nil stands for a node of which nothing is known.
    package init(
        settings: Settings = Settings(), records: [Record], groups: [GroupRecord] = [],
        terminations: [ActorTermination],
        patience: (PeerAddress?) -> UInt64, at now: Moment
    ) {
        self.init(settings: settings)
        for termination in terminations { self.remember(termination) }
        let records = records.sorted { $0.order < $1.order }
        self.nextOrder = max(records.last?.order ?? 0, groups.map(\.order).max() ?? 0) + 1
        self.restore(groups, patience: patience, at: now)
        for record in records { self.restore(record, until: now.time + patience(record.nodeAddress), at: now) }
        // By now all are listed that one may wait for.
        for record in records { self.resume(record.spec.id, at: now) }
        self.changed.formUnion(self.entries.keys)
    }

    /// The processes that own actors: when one does not join, and lives in no node, it has to be given up.
    package var owners: Set<PeerID> {
        let groups = self.groups.values.filter { $0.spec.lifetime == .owned && $0.spec.owner.actor == nil }
        return Set(self.processes.filter { !$0.value.children.isEmpty }.keys).union(groups.map(\.spec.owner.process))
    }

    private mutating func restore(_ record: Record, until: UInt64, at now: Moment) {
        let id = record.spec.id
        var entry = Entry(spec: record.spec, phase: record.phase, node: record.node, order: record.order)
        entry.nodeName = record.nodeName
        entry.hasLived = record.hasLived
        entry.restarts = record.restarts
        entry.restartsInARow = record.restartsInARow
        entry.wasHeld = true
        entry.releaseAt = now.time + self.settings.claimTime
        switch record.phase {
        case .alive, .missing: entry.phase = .missing(until: until)
        case .starting:
            // Nobody knows how far that went. A first life nobody was told of; another begins anew and counts once.
            let death = Death(.nodeLost, "The broker ended while it was being started.")
            if record.hasLived { entry.restarts -= 1 }
            let next: Ending.Next = record.hasLived ? .restart(at: now.time, after: nil) : .finish
            entry.phase = .ending(Ending(death: death, next: next, mode: .kill, due: until))
        case .ending(var ending):
            ending.due = until
            if let sibling = ending.next.after { ending.next = .restart(at: now.time, after: sibling) }
            entry.phase = .ending(ending)
        case .restarting(var restart):
            restart.at = now.time
            entry.phase = .restarting(restart)
        case .pending, .deciding: break
        }
        self.list(entry)
        if let node = record.node { self.absent[node, default: []].insert(id) }
        try? self.takeName(of: record.spec)
    }

    private mutating func resume(_ id: UniqueID, at now: Moment) {
        guard let entry = self.entries[id] else { return }
        if let sibling = entry.waitsAfter { self.entries[sibling]?.followers.append(id) }
        switch entry.phase {
        case .pending: self.finish(id, Death(.nodeLost, "The broker ended while it waited for a node."), at: now)
        case .ending(let ending):
            if case .restart = ending.next { self.joinGroup(id) }
        case .deciding(let death):
            // Its supervisor is asked again when it is there.
            let owner = entry.spec.owner.actor.flatMap { self.entries[$0] }
            if owner == nil { self.finish(id, death, at: now) }
        case .starting, .alive, .restarting, .missing: break
        }
        self.plan(id)
    }
}
