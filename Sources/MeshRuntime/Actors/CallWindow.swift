import DequeModule

/// How many calls and one-way messages of this process one actor has before it, and whether there is room for more. A
/// value without clocks or tasks.
struct CallWindow: Sendable {
    /// How many may be outstanding.
    let limit: Int
    /// Calls that have not ended.
    private(set) var calls = 0
    /// Bytes of the calls and messages that are large.
    private(set) var bytes = 0
    /// One-way messages that were let in and have not left.
    private(set) var heldTells = 0
    /// One-way messages that have left, and those of them that have run or never will, as far as is known.
    private(set) var sentTells: UInt64 = 0
    private(set) var completedTells: UInt64 = 0
    /// The large one-way messages that have left: which they are among those, and their bytes.
    private var largeTells: Deque<(number: UInt64, bytes: Int)> = []

    /// How many bytes of large calls may be outstanding.
    private static let byteLimit = 64 << 20
    /// Smaller calls are bounded by their number alone.
    static let largeCall = 4 << 10

    init(limit: Int) { self.limit = max(1, limit) }

    /// Calls and messages that have not run, as far as is known.
    var outstanding: Int { self.calls + self.heldTells + Int(self.sentTells - self.completedTells) }

    /// Counts one more, if there is room.
    ///
    /// - Parameter bytes: what it takes if that is at least `largeCall`, else 0.
    mutating func admit(isOneWay: Bool, bytes: Int) -> Bool {
        guard self.outstanding < self.limit else { return false }
        // One call is always admitted, however large it is.
        guard bytes == 0 || self.outstanding == 0 || self.bytes + bytes <= Self.byteLimit else { return false }
        self.bytes += bytes
        if isOneWay { self.heldTells += 1 } else { self.calls += 1 }
        return true
    }

    /// Whether the next one-way message should ask for credit: often enough that the window never runs dry while the
    /// actor keeps up.
    var wantsCredit: Bool {
        (self.sentTells + 1) % UInt64(max(1, self.limit / 4)) == 0 || !self.largeTells.isEmpty
    }

    /// A one-way message has left.
    mutating func sent(tellOf bytes: Int) {
        self.heldTells -= 1
        self.sentTells += 1
        if bytes > 0 { self.largeTells.append((self.sentTells, bytes)) }
    }

    /// A call has ended, or a message will not be sent.
    mutating func release(isOneWay: Bool, bytes: Int) {
        self.bytes -= bytes
        if isOneWay { self.heldTells -= 1 } else { self.calls -= 1 }
    }

    /// So many more one-way messages have run. Returns whether that makes room.
    mutating func credit(_ count: UInt64) -> Bool {
        guard count > 0, self.completedTells < self.sentTells else { return false }
        self.completedTells += min(count, self.sentTells - self.completedTells)
        while let first = self.largeTells.first, first.number <= self.completedTells {
            self.bytes -= first.bytes
            self.largeTells.removeFirst()
        }
        return true
    }

    /// Nobody will give credit any more for the one-way messages that have left: the actor's life is over, or the link
    /// by which they went.
    mutating func writeOffTells() { _ = self.credit(.max) }
}
