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
    /// One-way messages that have left for the actor's present life, and that have run in it.
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

    /// So many one-way messages have run in the actor's present life. Returns whether that makes room.
    mutating func credit(completed: UInt64) -> Bool {
        guard completed > self.completedTells, completed <= self.sentTells else { return false }
        self.completedTells = completed
        while let first = self.largeTells.first, first.number <= completed {
            self.bytes -= first.bytes
            self.largeTells.removeFirst()
        }
        return true
    }

    /// The actor's side counts one-way messages from the beginning: those that had left have run or never will.
    mutating func beginLife() {
        self.bytes -= self.largeTells.reduce(0) { $0 + $1.bytes }
        self.largeTells = []
        self.sentTells = 0
        self.completedTells = 0
    }
}
