package import MeshCore
package import MeshRuntime

/// Where the bundles of a placement group go. All of them find a place, or none does.
package enum BundlePlan {
    package struct Node: Sendable {
        package var peer: PeerID
        package var pool: ResourcePool
        /// Whether the group has a bundle there.
        package var isUsed: Bool

        package init(peer: PeerID, pool: ResourcePool, isUsed: Bool = false) {
            self.peer = peer
            self.pool = pool
            self.isUsed = isUsed
        }
    }

    package struct Place: Hashable, Sendable {
        package var peer: PeerID
        package var gpuIDs: [Int]
    }

    /// How many places are tried. A group of a few bundles never needs so many; one of hundreds that just fits may be
    /// taken for one that does not fit yet.
    private static let patience = 20_000

    /// A place for each bundle, in their order; nil when there is none for all.
    package static func make(
        _ bundles: [ResourceAmounts], on nodes: [Node], _ strategy: PlacementGroup.Strategy
    ) -> [Place]? {
        var tries = Self.patience
        return self.search(bundles, nodes, strategy, &tries)
    }

    /// Whether nodes on which nobody is could have all bundles. What takes too long to find out counts as possible.
    package static func isPossible(
        _ bundles: [ResourceAmounts], on nodes: [Node], _ strategy: PlacementGroup.Strategy
    ) -> Bool {
        var tries = Self.patience
        return self.search(bundles, nodes, strategy, &tries) != nil || tries <= 0
    }

    private static func search(
        _ bundles: [ResourceAmounts], _ nodes: [Node], _ strategy: PlacementGroup.Strategy, _ tries: inout Int
    ) -> [Place]? {
        // Those that are hard to place first.
        let order = bundles.indices.sorted { one, other in
            (self.weight(bundles[one], nodes), other) > (self.weight(bundles[other], nodes), one)
        }
        var places = [Place?](repeating: nil, count: bundles.count)
        guard self.place(order[...], bundles, nodes, strategy, &places, &tries) else { return nil }
        return places.compactMap(\.self)
    }

    private static func weight(_ amounts: ResourceAmounts, _ nodes: [Node]) -> Int64 {
        nodes.map { $0.pool.distance(to: amounts) }.reduce(0, +) + Int64(amounts.kinds.count)
            + amounts.cpus / 1000 + amounts.gpus / 100
    }

    private static func place(
        _ rest: ArraySlice<Int>, _ bundles: [ResourceAmounts], _ nodes: [Node],
        _ strategy: PlacementGroup.Strategy, _ places: inout [Place?], _ tries: inout Int
    ) -> Bool {
        guard let index = rest.first else { return true }
        for number in self.preferred(nodes, strategy) {
            tries -= 1
            guard tries > 0 else { return false }
            guard let grant = nodes[number].pool.choose(bundles[index]) else { continue }
            var nodes = nodes
            nodes[number].pool.give(grant, to: .bundle(UniqueID(high: 0, low: 0), index))
            nodes[number].isUsed = true
            places[index] = Place(peer: nodes[number].peer, gpuIDs: grant.gpuIDs)
            if self.place(rest.dropFirst(), bundles, nodes, strategy, &places, &tries) { return true }
        }
        return false
    }

    /// The nodes that the next bundle may go to, the best first.
    private static func preferred(_ nodes: [Node], _ strategy: PlacementGroup.Strategy) -> [Int] {
        let used = nodes.indices.filter { nodes[$0].isUsed }
        let unused = nodes.indices.filter { !nodes[$0].isUsed }
        return switch strategy {
        case .strictPack: used.isEmpty ? unused : used
        case .pack: used + unused
        case .spread: unused + used
        case .strictSpread: unused
        }
    }

    /// What a group that waits keeps for itself on which nodes: those on which it is nearest to what it needs.
    package static func makeClaims(
        _ bundles: [ResourceAmounts], on nodes: [Node], _ strategy: PlacementGroup.Strategy
    ) -> [(peer: PeerID, amounts: ResourceAmounts)] {
        let sum = bundles.reduce(into: ResourceAmounts()) { sum, amounts in
            for kind in amounts.kinds { sum[kind] += amounts[kind] }
        }
        let empty = nodes.enumerated().sorted { one, other in
            (one.element.pool.distance(to: sum), one.offset) < (other.element.pool.distance(to: sum), other.offset)
        }.map { Node(peer: $0.element.peer, pool: ResourcePool($0.element.pool.total), isUsed: $0.element.isUsed) }
        guard let plan = self.make(bundles, on: empty, strategy) else { return [] }
        return zip(plan, bundles).map { ($0.peer, $1) }
    }
}
