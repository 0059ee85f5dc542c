/// What ran, in the order in which it ran, and the three questions that are asked of it one by one: was anything done
/// twice, was anything left out, was anything done out of order.
///
/// A set of what has run answers only the second; a count answers none.
public struct History: Sendable, Hashable, Codable {
    /// One piece of work: which of a caller's, counted from 0.
    public struct Entry: Sendable, Hashable, Codable, CustomStringConvertible {
        /// Who asked for it.
        public var caller: String
        /// Which of that caller's it was.
        public var number: Int

        /// Makes an entry.
        public init(caller: String, number: Int) {
            self.caller = caller
            self.number = number
        }

        /// `caller#number`.
        public var description: String { "\(self.caller)#\(self.number)" }
    }

    /// Everything that ran, the first first.
    public private(set) var entries: [Entry] = []

    /// Nothing has run yet.
    public init() {}

    /// Notes that a caller's piece of work runs.
    public mutating func record(_ caller: String, _ number: Int) {
        self.entries.append(Entry(caller: caller, number: number))
    }

    /// What ran more than once, at each time but the first.
    public var duplicates: [Entry] {
        var seen: Set<Entry> = []
        return self.entries.filter { !seen.insert($0).inserted }
    }

    /// What should have run and did not, when each caller asked for so many.
    public func lost(of expected: [String: Int]) -> [Entry] {
        let seen = Set(self.entries)
        return expected.sorted { $0.key < $1.key }.flatMap { caller, count in
            (0..<max(0, count)).map { Entry(caller: caller, number: $0) }.filter { !seen.contains($0) }
        }
    }

    /// What ran after a later one of the same caller had run. What is there twice counts where it was first.
    public var reordered: [Entry] {
        var seen: Set<Entry> = []
        var latest: [String: Int] = [:]
        var late: [Entry] = []
        for entry in self.entries where seen.insert(entry).inserted {
            if let last = latest[entry.caller], last > entry.number { late.append(entry) }
            latest[entry.caller] = max(entry.number, latest[entry.caller] ?? entry.number)
        }
        return late
    }
}
