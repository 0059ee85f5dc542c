/// The GPUs of a node, or of a bundle, and how much of each is free. Each has a number.
package struct GPUSlots: Hashable, Sendable {
    package struct Slot: Hashable, Sendable {
        package var id: Int
        /// How much of it there is: all of it on a node, perhaps a part in a bundle.
        package var capacity: Int64
        package var free: Int64
    }

    /// In the order of their numbers.
    package private(set) var slots: [Slot]

    /// So many whole ones, numbered from 0.
    package init(count: Int) {
        self.slots = (0..<max(0, count)).map {
            Slot(id: $0, capacity: ResourceAmounts.one, free: ResourceAmounts.one)
        }
    }

    /// Those that were given.
    package init(_ amount: Int64, of ids: [Int]) {
        let share = Self.share(of: amount, in: ids)
        self.slots = ids.sorted().map { Slot(id: $0, capacity: share, free: share) }
    }

    /// How much of each of its GPUs somebody has: a part of one, or all of several.
    private static func share(of amount: Int64, in ids: [Int]) -> Int64 {
        ids.count > 1 ? ResourceAmounts.one : min(amount, ResourceAmounts.one)
    }

    /// Which ones somebody would get now who asks for so much; nil when they are not free.
    ///
    /// A part comes from the GPU with the least that is enough, so that parts share one and others stay whole.
    package func choose(_ amount: Int64) -> [Int]? {
        guard amount > 0 else { return [] }
        if amount < ResourceAmounts.one {
            let best = self.slots.filter { $0.free >= amount }.min { ($0.free, $0.id) < ($1.free, $1.id) }
            return best.map { [$0.id] }
        }
        let whole = self.slots.filter { $0.free >= ResourceAmounts.one }.prefix(Int(amount / ResourceAmounts.one))
        return whole.count == Int(amount / ResourceAmounts.one) ? whole.map(\.id) : nil
    }

    /// Whether somebody could have so much if nobody had any.
    package func couldEver(_ amount: Int64) -> Bool {
        var empty = self
        for index in empty.slots.indices { empty.slots[index].free = empty.slots[index].capacity }
        return empty.choose(amount) != nil
    }

    package mutating func take(_ amount: Int64, from ids: [Int]) {
        self.change(ids, by: -Self.share(of: amount, in: ids))
    }

    package mutating func giveBack(_ amount: Int64, to ids: [Int]) {
        self.change(ids, by: Self.share(of: amount, in: ids))
    }

    private mutating func change(_ ids: [Int], by share: Int64) {
        for index in self.slots.indices where ids.contains(self.slots[index].id) { self.slots[index].free += share }
    }

    // MARK: Somebody who waits

    /// The GPUs that somebody who waits for so much comes closest to, the same until they are his.
    private func nearest(_ amount: Int64) -> [Int] {
        let count = max(1, Int(amount / ResourceAmounts.one))
        let able = self.slots.indices.filter { self.slots[$0].capacity >= min(amount, ResourceAmounts.one) }
        return Array(
            able.sorted { one, other in
                (-self.slots[one].free, self.slots[one].id) < (-self.slots[other].free, self.slots[other].id)
            }.prefix(count))
    }

    /// How much is missing for him.
    package func missing(_ amount: Int64) -> Int64 {
        guard amount > 0 else { return 0 }
        let share = min(amount, ResourceAmounts.one)
        let near = self.nearest(amount)
        let absent = max(0, max(1, amount / ResourceAmounts.one) - Int64(near.count)) * share
        return near.reduce(absent) { $0 + max(0, share - self.slots[$1].free) }
    }

    /// Keeps what he waits for from those who came later.
    package mutating func setAside(_ amount: Int64) {
        guard amount > 0 else { return }
        for index in self.nearest(amount) { self.slots[index].free -= min(amount, ResourceAmounts.one) }
    }

    /// How much is free in all.
    package var free: Int64 { self.slots.reduce(0) { $0 + $1.free } }
}
