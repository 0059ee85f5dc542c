import HeapModule
package import MeshCore
package import MeshRuntime

/// Placement groups: bundles of resources that are given all together or not at all.
extension Registry {
    package struct Group: Sendable {
        package var spec: PlacementGroupSpec
        let order: UInt64
        package var bundles: [Bundle]
        /// Whether it is being removed. Its bundles are there until what was in them has ended.
        package var isLeaving = false
        /// Until when a node that has a bundle may stay away, after the broker has been away.
        var absentUntil: UInt64?

        package var isPlaced: Bool { self.bundles.allSatisfy { $0.node != nil } }
    }

    package struct Bundle: Sendable {
        package let amounts: ResourceAmounts
        /// Where it is; nil while it waits.
        package var node: PeerID?
        var gpuIDs: [Int] = []
        /// Who has what of it; nil while it waits, or its node is away.
        package var pool: ResourcePool?
    }

    /// A placement group as it is written down.
    package struct GroupRecord: Hashable, Sendable, Codable {
        package struct Place: Hashable, Sendable, Codable {
            package var node: PeerID?
            package var nodeAddress: PeerAddress?
            package var gpuIDs: [Int]
        }

        package var spec: PlacementGroupSpec
        package var order: UInt64
        package var places: [Place]
    }

    // MARK: Coming

    /// Lists a new group. It is placed at once, or when there is room.
    ///
    /// - Throws: `insufficientResources` when the nodes could never have all of it, `invalidArgument` for what makes no
    ///   sense, `nameTaken`, `actorDied` when its owner has ended.
    package mutating func addGroup(_ spec: PlacementGroupSpec) throws(MeshError) {
        guard !spec.bundles.isEmpty, spec.bundles.count <= 1000 else {
            throw MeshError(
                .invalidArgument, "A placement group has 1 to 1,000 bundles; this one has \(spec.bundles.count).")
        }
        var bundles: [Bundle] = []
        for resources in spec.bundles {
            let amounts = try ResourceAmounts(asked: resources)
            guard !amounts.isZero else {
                throw MeshError(.invalidArgument, "Bundle \(bundles.count) of a placement group asks for nothing.")
            }
            bundles.append(Bundle(amounts: amounts))
        }
        if let name = spec.name {
            guard !name.isEmpty, name.utf8.count <= 512 else {
                throw MeshError(.invalidArgument, "The name of a placement group has 1 to 512 bytes.")
            }
            let isTaken = self.groups.values.contains {
                $0.spec.name == name && $0.spec.namespace == spec.namespace && !$0.isLeaving
            }
            if isTaken { throw MeshError(.nameTaken, "There is a placement group called \"\(name)\" already.") }
        }
        try self.checkOwner(of: spec)
        let group = Group(spec: spec, order: self.takeOrder(), bundles: bundles)
        try self.checkPossible(group)
        self.groups[spec.id] = group
        self.changed.insert(WellKnown.placementGroups)
        self.queue.add(.group(spec.id), to: .group(spec.id), number: group.order)
        self.mayPlace = true
        self.placeWaiting()
    }

    private func checkOwner(of spec: PlacementGroupSpec) throws(MeshError) {
        guard spec.lifetime == .owned else { return }
        let isThere =
            if let owner = spec.owner.actor {
                self.entries[owner]?.spec.incarnation == spec.owner.incarnation
            } else {
                self.gone[spec.owner.process] == nil
            }
        guard isThere else { throw MeshError(.actorDied, "The placement group cannot be made: its owner has ended.") }
    }

    /// - Throws: when no nodes could ever have all of it.
    private func checkPossible(_ group: Group) throws(MeshError) {
        let nodes = self.nodes(for: group.spec)
        guard !nodes.isEmpty else {
            throw MeshError(
                self.nodes.isEmpty ? .insufficientResources : .typeNotFound,
                "No node runs the program \"\(group.spec.program)\" to hold the bundles of a placement group.")
        }
        let empty = nodes.map { BundlePlan.Node(peer: $0, pool: ResourcePool(self.nodes[$0]?.pool.total ?? .init())) }
        if BundlePlan.isPossible(group.bundles.map(\.amounts), on: empty, group.spec.strategy) { return }
        var parts: [String] = []
        for (index, bundle) in group.bundles.enumerated()
        where !empty.contains(where: { $0.pool.couldEver(bundle.amounts) }) {
            let needs = bundle.amounts.kinds.map { $0.text(bundle.amounts[$0]) }.joined(separator: ", ")
            let most = bundle.amounts.kinds.map { kind in
                kind.text(empty.map { $0.pool.total[kind] }.max() ?? 0)
            }
            parts.append("bundle \(index) needs \(needs), the largest node has \(most.joined(separator: ", "))")
        }
        if parts.isEmpty {
            parts.append(
                "each bundle alone would fit, but not all \(group.bundles.count) as \(group.spec.strategy.rawValue) on "
                    + "\(nodes.count) node\(nodes.count == 1 ? "" : "s")")
        }
        throw MeshError(
            .insufficientResources,
            "No nodes could ever hold the placement group: \(parts.prefix(3).joined(separator: "; ")).")
    }

    private func nodes(for spec: PlacementGroupSpec) -> [PeerID] {
        self.nodes.filter { $0.value.registration.programs.contains(spec.program) }
            .sorted { $0.value.registration.name < $1.value.registration.name }.map(\.key)
    }

    /// Places the bundles of a group that have no node. Returns whether it does not wait any more.
    mutating func serveGroup(_ id: UniqueID, _ remaining: inout Remaining) -> Bool {
        guard let group = self.groups[id], !group.isLeaving else { return true }
        let missing = group.bundles.indices.filter { group.bundles[$0].node == nil }
        let nodes = self.nodes(for: group.spec).map {
            BundlePlan.Node(
                peer: $0, pool: self.pool(.node($0), remaining),
                isUsed: group.bundles.contains { [node = $0] bundle in bundle.node == node })
        }
        let wanted = missing.map { group.bundles[$0].amounts }
        guard let plan = BundlePlan.make(wanted, on: nodes, group.spec.strategy) else {
            for (peer, amounts) in BundlePlan.makeClaims(wanted, on: nodes, group.spec.strategy) {
                var pool = self.pool(.node(peer), remaining)
                pool.setAside(amounts)
                remaining.changed[.node(peer)] = pool
            }
            return false
        }
        for (index, place) in zip(missing, plan) {
            let grant = ResourcePool.Grant(amounts: group.bundles[index].amounts, gpuIDs: place.gpuIDs)
            self.groups[id]?.bundles[index].node = place.peer
            self.groups[id]?.bundles[index].gpuIDs = place.gpuIDs
            self.groups[id]?.bundles[index].pool = ResourcePool(grant)
            self.change(.node(place.peer)) { $0.give(grant, to: .bundle(id, index)) }
            remaining.changed[.node(place.peer)]?.setAside(grant.amounts)
        }
        self.changed.insert(WellKnown.placementGroups)
        self.effects.append(.changed(id))
        // Those who wait for its bundles may stand before it.
        self.mayPlace = true
        return true
    }

    /// The bundles of a group on some nodes that somebody may be put into.
    func bundles(
        of id: UniqueID, _ request: PlacementRequest, on nodes: [Candidate]
    ) throws(MeshError) -> [Candidate] {
        guard let group = self.groups[id], !group.isLeaving else {
            throw MeshError(.invalidArgument, "The placement group of \(request.label) is gone. Make another one.")
        }
        if let index = request.bundle, !group.bundles.indices.contains(index) {
            throw MeshError(
                .invalidArgument,
                "The placement group has bundles 0 to \(group.bundles.count - 1); \(request.label) asks for \(index).")
        }
        // Whether one could have it at all does not depend on where that is.
        let able = group.bundles.indices.filter { index in
            (request.bundle ?? index) == index
                && ResourcePool(group.bundles[index].amounts).couldEver(request.amounts)
        }
        guard !able.isEmpty else {
            let needs = request.amounts.kinds.map { $0.text(request.amounts[$0]) }.joined(separator: ", ")
            throw MeshError(
                .insufficientResources,
                "No bundle \(request.bundle.map { "\($0) " } ?? "")of its placement group could ever hold "
                    + "\(request.label), which needs \(needs).")
        }
        return able.compactMap { index in
            guard group.bundles[index].pool != nil,
                let node = nodes.first(where: { $0.node.registration.address.peer == group.bundles[index].node })
            else { return nil }
            return Candidate(node: node.node, pool: .bundle(id, index))
        }
    }

    /// Why a group waits, in words; nil when it does not.
    package func waitingReason(ofGroup id: UniqueID) -> String? {
        guard let group = self.groups[id], !group.isPlaced else { return nil }
        let missing = group.bundles.filter { $0.node == nil }
        let first = missing[0].amounts
        return "room for \(missing.count) of its \(group.bundles.count) bundles, the first with "
            + first.kinds.map { $0.text(first[$0]) }.joined(separator: ", ")
    }

    // MARK: Going

    /// Removes a group: the actors in it are killed, and when they have ended its bundles are free.
    package mutating func removeGroup(_ id: UniqueID, because reason: String = "", at now: Moment) {
        guard let group = self.groups[id], !group.isLeaving else { return }
        self.groups[id]?.isLeaving = true
        self.leaveQueue(.group(id))
        self.changed.insert(WellKnown.placementGroups)
        self.effects.append(.changed(id))
        let members = self.entries.values.filter { $0.spec.options.placementGroup?.id == id }.map(\.spec.id)
        let death = Death(.killed, "Its placement group \(group.spec.label) was removed\(reason).")
        for member in self.inOrder(members).reversed() { self.end(member, .kill, death, at: now) }
        self.sweepGroup(id)
    }

    /// Frees the bundles of a group that is being removed and in which nobody is any more.
    mutating func sweepGroup(_ id: UniqueID) {
        guard let group = self.groups[id], group.isLeaving else { return }
        for (index, bundle) in group.bundles.enumerated() {
            guard let node = bundle.node else { continue }
            guard bundle.pool?.grants.isEmpty ?? true else { continue }
            self.groups[id]?.bundles[index].node = nil
            self.groups[id]?.bundles[index].pool = nil
            self.release(.bundle(id, index), from: .node(node))
        }
        if self.groups[id]?.bundles.allSatisfy({ $0.node == nil }) == true {
            self.groups[id] = nil
            self.effects.append(.changed(id))
        }
    }

    /// An actor has ended, or lost the life in which it made groups.
    mutating func endGroups(of actor: UniqueID, at now: Moment) {
        self.endGroups(at: now) { $0.actor == actor }
    }

    /// A process has ended: the groups that it owned without an actor in between.
    mutating func endGroups(of process: PeerID, at now: Moment) {
        self.endGroups(at: now) { $0.actor == nil && $0.process == process }
    }

    private mutating func endGroups(at now: Moment, _ isOwner: (ActorOwner) -> Bool) {
        guard !self.groups.isEmpty else { return }
        let owned = self.groups.values.filter { $0.spec.lifetime == .owned && !$0.isLeaving && isOwner($0.spec.owner) }
        for group in owned.sorted(by: { $0.order < $1.order }) {
            self.removeGroup(group.spec.id, because: " because its owner has ended", at: now)
        }
    }

    // MARK: Nodes

    /// A node is gone, and the bundles on it: they are placed anew.
    mutating func loseBundles(on node: PeerID) {
        for group in self.groups.values.sorted(by: { $0.order < $1.order }) {
            let id = group.spec.id
            var isLosing = false
            for (index, bundle) in group.bundles.enumerated() where bundle.node == node {
                self.groups[id]?.bundles[index].node = nil
                self.groups[id]?.bundles[index].pool = nil
                self.groups[id]?.bundles[index].gpuIDs = []
                isLosing = true
            }
            guard isLosing else { continue }
            self.changed.insert(WellKnown.placementGroups)
            if group.isLeaving { self.sweepGroup(id) } else { self.waitAgain(group) }
        }
    }

    private mutating func waitAgain(_ group: Group) {
        self.queue.add(.group(group.spec.id), to: .group(group.spec.id), number: group.order)
        self.mayPlace = true
    }

    /// A node has joined, perhaps again: what those have that are there is theirs.
    mutating func fillPool(of node: PeerID, remainders: [Claimant: ResourcePool.Grant] = [:]) {
        for (claimant, grant) in remainders {
            if case .process(let peer) = claimant, self.gone[peer] == nil {
                self.change(.node(node)) { $0.give(grant, to: claimant) }
            }
        }
        for group in self.groups.values {
            for (index, bundle) in group.bundles.enumerated() where bundle.node == node {
                let grant = ResourcePool.Grant(amounts: bundle.amounts, gpuIDs: bundle.gpuIDs)
                self.change(.node(node)) { $0.give(grant, to: .bundle(group.spec.id, index)) }
                if bundle.pool == nil { self.groups[group.spec.id]?.bundles[index].pool = ResourcePool(grant) }
            }
        }
        for (id, lease) in self.leases where lease.node == node {
            let grant = ResourcePool.Grant(amounts: lease.request.amounts, gpuIDs: lease.gpuIDs)
            self.change(.node(node)) { $0.give(grant, to: .lease(id)) }
        }
        for id in self.nodes[node]?.actors ?? [] {
            guard let entry = self.entries[id] else { continue }
            self.hold(id, in: self.pool(of: entry, on: node))
        }
        self.mayPlace = true
    }

    // MARK: What is written down

    package var groupRecords: [GroupRecord] {
        self.groups.values.filter { !$0.isLeaving }.sorted { $0.order < $1.order }.map { group in
            GroupRecord(
                spec: group.spec, order: group.order,
                places: group.bundles.map { bundle in
                    GroupRecord.Place(
                        node: bundle.node,
                        nodeAddress: bundle.node.flatMap { self.nodes[$0]?.registration.address },
                        gpuIDs: bundle.gpuIDs)
                })
        }
    }

    /// Lists the groups that another broker wrote down. Their bundles are where they were when those nodes join.
    mutating func restore(_ records: [GroupRecord], patience: (PeerAddress?) -> UInt64, at now: Moment) {
        for record in records {
            var bundles: [Bundle] = []
            for (resources, place) in zip(record.spec.bundles, record.places) {
                guard let amounts = try? ResourceAmounts(asked: resources) else { continue }
                bundles.append(Bundle(amounts: amounts, node: place.node, gpuIDs: place.gpuIDs))
            }
            var group = Group(spec: record.spec, order: record.order, bundles: bundles)
            let absent = record.places.filter { $0.node != nil }.map { now.time + patience($0.nodeAddress) }
            group.absentUntil = absent.max()
            self.groups[record.spec.id] = group
            self.nextOrder = max(self.nextOrder, record.order + 1)
            if let time = group.absentUntil {
                self.agenda.insert(Appointment(time: time, order: record.order, actor: record.spec.id))
            }
            if !group.isPlaced { self.waitAgain(group) }
        }
        if !records.isEmpty { self.changed.insert(WellKnown.placementGroups) }
    }

    /// The nodes of a group were waited for long enough.
    mutating func endAbsence(of id: UniqueID, at now: Moment) {
        guard let group = self.groups[id], let time = group.absentUntil, now.time >= time else { return }
        self.groups[id]?.absentUntil = nil
        let absent = Set(group.bundles.compactMap(\.node)).filter { self.nodes[$0] == nil }
        for node in absent.sorted(by: { $0.number < $1.number }) { self.loseBundles(on: node) }
        guard group.spec.lifetime == .owned else { return }
        // Its owner did not come back either.
        let isGone =
            if let owner = group.spec.owner.actor {
                self.entries[owner]?.spec.incarnation != group.spec.owner.incarnation
            } else {
                self.gone[group.spec.owner.process] != nil
            }
        if isGone { self.removeGroup(id, because: " because its owner has ended", at: now) }
    }
}
