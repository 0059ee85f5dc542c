package import MeshCore

/// What a store has in memory and on disk, and what has to leave memory for something new. A value without files or
/// clocks.
///
/// A segment that nobody has asked for the longest leaves first: to disk if it is the only one, for good if it is a copy
/// of one on another host, which can be fetched again.
package struct ObjectLedger: Sendable {
    package struct Entry: Hashable, Sendable {
        package var size: Int
        /// For whom it is kept: the process whose object it is.
        package var owner: PeerID
        package var place = Place.memory
        /// Of which store's segment it is a copy.
        package var origin: Origin?
        var lastUse: UInt64
    }

    package enum Place: Hashable, Sendable {
        case memory
        /// On its way to disk; its memory is not counted any more.
        case leaving
        case disk
    }

    /// A segment of another store.
    package struct Origin: Hashable, Sendable {
        package var store: PeerID
        package var number: UInt64

        package init(store: PeerID, number: UInt64) {
            self.store = store
            self.number = number
        }
    }

    /// What has to be done before there is room.
    package enum Step: Hashable, Sendable {
        case spill(UInt64)
        case drop(UInt64)
    }

    /// How many bytes may be in memory.
    package let budget: Int
    package private(set) var used = 0
    package private(set) var onDisk = 0
    package private(set) var entries: [UInt64: Entry] = [:]
    private var clock: UInt64 = 0

    package init(budget: Int) { self.budget = budget }

    /// Makes room for so many bytes and counts them. The steps are to be taken before they are used.
    ///
    /// - Returns: nil when they are too many for memory, and go to disk themselves.
    package mutating func reserve(_ size: Int) -> [Step]? {
        guard size <= self.budget else { return nil }
        var steps: [Step] = []
        while self.used + size > self.budget {
            guard let victim = self.victim else { break }
            if self.entries[victim]?.origin != nil {
                self.remove(victim)
                steps.append(.drop(victim))
            } else {
                self.used -= self.entries[victim]?.size ?? 0
                self.entries[victim]?.place = .leaving
                steps.append(.spill(victim))
            }
        }
        self.used += size
        return steps
    }

    private var victim: UInt64? {
        self.entries.filter { $0.value.place == .memory }.min { $0.value.lastUse < $1.value.lastUse }?.key
    }

    /// What was reserved is not needed.
    package mutating func cancel(_ size: Int) { self.used -= size }

    /// Lists a segment: in memory that was reserved, or on disk.
    ///
    /// - Returns: whether its number was free.
    package mutating func add(
        _ number: UInt64, size: Int, owner: PeerID, origin: Origin? = nil, isOnDisk: Bool = false
    ) -> Bool {
        guard self.entries[number] == nil else { return false }
        self.clock += 1
        self.entries[number] = Entry(
            size: size, owner: owner, place: isOnDisk ? .disk : .memory, origin: origin, lastUse: self.clock)
        if isOnDisk { self.onDisk += size }
        return true
    }

    /// Somebody has asked for a segment.
    package mutating func touch(_ number: UInt64) {
        self.clock += 1
        self.entries[number]?.lastUse = self.clock
    }

    /// A segment that was to leave memory has, or could not.
    package mutating func left(_ number: UInt64, isOnDisk: Bool) {
        guard let entry = self.entries[number], entry.place == .leaving else { return }
        self.entries[number]?.place = isOnDisk ? .disk : .memory
        if isOnDisk { self.onDisk += entry.size } else { self.used += entry.size }
    }

    /// A segment is not needed any more.
    @discardableResult
    package mutating func remove(_ number: UInt64) -> Entry? {
        guard let entry = self.entries.removeValue(forKey: number) else { return nil }
        switch entry.place {
        case .memory: self.used -= entry.size
        case .disk: self.onDisk -= entry.size
        case .leaving: break
        }
        return entry
    }
}
