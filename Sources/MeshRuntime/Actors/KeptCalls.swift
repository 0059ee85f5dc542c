import DequeModule

/// The calls to one actor that may have to be sent later or again, in the order in which they were made. A value
/// without sockets or tasks.
///
/// It gives all calls to the actor their sequence numbers, also those that it does not keep.
struct KeptCalls<Call: Sendable>: Sendable {
    /// Where a call is. The numbers are incarnations of the actor.
    enum Standing: Hashable, Sendable {
        /// It was never sent.
        case unsent
        /// It was sent to that life, and no outcome has come.
        case sent(UInt64)
        /// It was sent to that life, and the way to it was lost: it may or may not have run.
        case lost(UInt64)
        /// It reached that life's process, which says that it has not run and will not.
        case refused(UInt64)
    }

    struct Entry: Sendable {
        var call: Call
        var standing: Standing
        /// How often it was sent to a new life although it may have run in an older one.
        var reruns = 0
        /// Whether nobody wants it to run (again).
        var isCancelled = false

        /// Whether it is nowhere, and will be sent when the actor is found.
        var isWaiting: Bool { if case .sent = self.standing { false } else { true } }
    }

    /// Those from `first` on; nil for one that is not kept or whose outcome is known.
    private var entries: Deque<Entry?> = []
    /// The lowest number that may still be kept. The outcome of all calls with lower ones is known.
    private(set) var first: UInt64

    init(first: UInt64 = 1) { self.first = first }

    /// The number that the next call will have.
    var next: UInt64 { self.first + UInt64(self.entries.count) }

    /// Numbers a call that is not kept.
    mutating func pass() -> UInt64 {
        defer { if self.entries.isEmpty { self.first += 1 } else { self.entries.append(nil) } }
        return self.next
    }

    /// Numbers a call and keeps it.
    mutating func keep(_ call: Call, _ standing: Standing) -> UInt64 {
        defer { self.entries.append(Entry(call: call, standing: standing)) }
        return self.next
    }

    subscript(sequence: UInt64) -> Entry? {
        get {
            guard sequence >= self.first, sequence < self.next else { return nil }
            return self.entries[Int(sequence - self.first)]
        }
        set {
            guard sequence >= self.first, sequence < self.next else { return }
            self.entries[Int(sequence - self.first)] = newValue
            while let oldest = self.entries.first, oldest == nil {
                self.entries.removeFirst()
                self.first += 1
            }
        }
    }

    /// Keeps a call no longer. Returns it, nil when it was not kept (any more).
    @discardableResult
    mutating func remove(_ sequence: UInt64) -> Call? {
        guard let entry = self[sequence] else { return nil }
        self[sequence] = nil
        return entry.call
    }

    /// Keeps nothing any more. Returns what was kept, in order.
    mutating func removeAll() -> [Call] {
        defer {
            self.first = self.next
            self.entries = []
        }
        return self.entries.compactMap { $0?.call }
    }

    /// The numbers of what is kept, in order.
    var sequences: [UInt64] {
        self.entries.indices.compactMap { self.entries[$0] == nil ? nil : self.first + UInt64($0) }
    }

    var isEmpty: Bool { self.entries.isEmpty }
}
