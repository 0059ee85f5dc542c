package import MeshCore

/// Who has resources.
package enum Claimant: Hashable, Sendable {
    case actor(UniqueID)
    /// A worker that runs tasks for somebody.
    case lease(UniqueID)
    /// A part of a placement group, whose actors have theirs from it.
    case bundle(UniqueID, Int)
    /// A process whose actor has ended itself, until it is gone.
    case process(PeerID)
}

/// What a node, or a bundle of a placement group, has in all, and who has how much of it.
package struct ResourcePool: Hashable, Sendable {
    package struct Grant: Hashable, Sendable {
        package var amounts: ResourceAmounts
        package var gpuIDs: [Int]

        package init(amounts: ResourceAmounts, gpuIDs: [Int]) {
            self.amounts = amounts
            self.gpuIDs = gpuIDs
        }
    }

    package let total: ResourceAmounts
    /// What nobody has. Its GPUs are in ``gpus``.
    package private(set) var free: ResourceAmounts
    package private(set) var gpus: GPUSlots
    package private(set) var grants: [Claimant: Grant] = [:]

    /// Nobody's.
    package static let none = ResourcePool(ResourceAmounts())

    /// A node's.
    package init(_ total: ResourceAmounts) {
        self.total = total
        self.free = total
        self.gpus = GPUSlots(count: Int(total.gpus / ResourceAmounts.one))
    }

    /// A bundle's.
    package init(_ grant: Grant) {
        self.total = grant.amounts
        self.free = grant.amounts
        self.gpus = GPUSlots(grant.amounts.gpus, of: grant.gpuIDs)
    }

    /// What all have together.
    package var used: ResourceAmounts {
        var used = self.total
        for kind in self.total.kinds { used[kind] -= self.free[kind] }
        return used
    }

    // MARK: Giving and taking back

    /// What somebody would get now who asks for so much; nil when it is not free.
    package func choose(_ amounts: ResourceAmounts) -> Grant? {
        for kind in amounts.kinds where kind != .gpus && self.free[kind] < amounts[kind] { return nil }
        return self.gpus.choose(amounts.gpus).map { Grant(amounts: amounts, gpuIDs: $0) }
    }

    /// Whether somebody could have so much if nobody had anything.
    package func couldEver(_ amounts: ResourceAmounts) -> Bool {
        for kind in amounts.kinds where kind != .gpus && self.total[kind] < amounts[kind] { return false }
        return self.gpus.couldEver(amounts.gpus)
    }

    /// Gives it, whether it is free or not: what somebody is known to have is so. What he had before is taken back.
    package mutating func give(_ grant: Grant, to claimant: Claimant) {
        self.takeBack(from: claimant)
        guard !grant.amounts.isZero else { return }
        self.grants[claimant] = grant
        for kind in grant.amounts.kinds { self.free[kind] -= grant.amounts[kind] }
        self.gpus.take(grant.amounts.gpus, from: grant.gpuIDs)
    }

    /// Takes back what somebody has. Returns it.
    @discardableResult
    package mutating func takeBack(from claimant: Claimant) -> Grant? {
        guard let grant = self.grants.removeValue(forKey: claimant) else { return nil }
        for kind in grant.amounts.kinds { self.free[kind] += grant.amounts[kind] }
        self.gpus.giveBack(grant.amounts.gpus, to: grant.gpuIDs)
        return grant
    }

    // MARK: Somebody who waits

    /// Of what there is too little for so much.
    package func missing(for amounts: ResourceAmounts) -> [ResourceKind] {
        amounts.kinds.filter { kind in
            kind == .gpus ? self.gpus.choose(amounts.gpus) == nil : self.free[kind] < amounts[kind]
        }
    }

    /// How far somebody who waits for so much is from having it, in thousandths of each resource. It only falls while
    /// that is set aside for him.
    package func distance(to amounts: ResourceAmounts) -> Int64 {
        amounts.kinds.reduce(0) { sum, kind in
            let missing = kind == .gpus ? self.gpus.missing(amounts.gpus) : max(0, amounts[kind] - self.free[kind])
            return sum + Self.thousandths(missing, of: amounts[kind])
        }
    }

    /// Keeps what somebody waits for from those who came later. What they do not share with him is theirs.
    package mutating func setAside(_ amounts: ResourceAmounts) {
        for kind in amounts.kinds where kind != .gpus { self.free[kind] -= amounts[kind] }
        self.gpus.setAside(amounts.gpus)
    }

    /// How full the fullest of some resources would be with so much more, in thousandths.
    package func load(with amounts: ResourceAmounts) -> Int64 {
        amounts.kinds.reduce(0) { load, kind in
            guard self.total[kind] > 0 else { return load }
            let used = self.total[kind] - self.free[kind] + amounts[kind]
            return max(load, Self.thousandths(used, of: self.total[kind]))
        }
    }

    private static func thousandths(_ part: Int64, of whole: Int64) -> Int64 {
        Int64(min(1e12, max(0, Double(part) * 1000 / Double(whole))))
    }

    // MARK: For tests

    /// Of what more was given than there is.
    package var overdrawn: ResourceKind? {
        if self.gpus.slots.contains(where: { $0.free < 0 }) { return .gpus }
        let used = self.grants.values.reduce(into: Set<ResourceKind>()) { $0.formUnion($1.amounts.kinds) }
        return used.first { self.free[$0] < 0 }
    }

    /// What contradicts itself, in words; empty when all is well.
    package var contradictions: [String] {
        var expected = ResourcePool(Grant(amounts: self.total, gpuIDs: self.gpus.slots.map(\.id)))
        for (claimant, grant) in self.grants { expected.give(grant, to: claimant) }
        var found: [String] = []
        if expected.free != self.free { found.append("\(self.free) is free, not \(expected.free)") }
        if expected.gpus.slots.map(\.free) != self.gpus.slots.map(\.free) {
            found.append("the GPUs do not add up: \(self.gpus.slots)")
        }
        return found
    }
}
