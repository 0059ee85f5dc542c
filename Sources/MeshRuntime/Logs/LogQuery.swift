public import FoundationEssentials
public import Logging
public import MeshCore

/// Which records are wanted: those to which everything applies that is set.
public struct LogQuery: Codable, Hashable, Sendable {
    /// An actor's name, its type, its ID or the first four digits of that or more, or `TYPE#DIGITS` as in
    /// `worker-2/Trainer#a3f1`; `*` stands for anything and `?` for one character.
    public var actor: String?
    /// A task's type; with `*` and `?`.
    public var task: String?
    /// A node's name; with `*` and `?`.
    public var node: String?
    /// Nothing that is older.
    public var since: Date?
    /// Nothing that is newer.
    public var until: Date?
    /// Nothing that is less important. Gaps are always of interest.
    public var level: Logger.Level?
    /// A part of the text, with its case.
    public var text: String?
    /// A life of an actor.
    public var incarnation: UInt64?
    /// What was done for this program; see ``LogRecord/driver``.
    public var driver: PeerID?
    /// The newest so many of what is there already; nil for all.
    public var limit: Int?

    /// Everything, unless more is said.
    public init(
        actor: String? = nil, task: String? = nil, node: String? = nil, since: Date? = nil, until: Date? = nil,
        level: Logger.Level? = nil, text: String? = nil, incarnation: UInt64? = nil, driver: PeerID? = nil,
        limit: Int? = nil
    ) {
        self.actor = actor
        self.task = task
        self.node = node
        self.since = since
        self.until = until
        self.level = level
        self.text = text
        self.incarnation = incarnation
        self.driver = driver
        self.limit = limit
    }

    /// Whether every record is wanted.
    package var isForAll: Bool {
        var query = self
        query.limit = nil
        return query == LogQuery()
    }

    /// Whether a record is wanted.
    ///
    /// A gap is told to everybody who might have wanted what is missing: what is not known of it does not exclude it.
    public func matches(_ record: LogRecord) -> Bool {
        if let since, record.date < since { return false }
        if let until, record.date > until { return false }
        if let node, !Glob(node).matches(record.node) { return false }
        if record.kind == .gap { return record.actor.map(self.matches) ?? (self.driver == nil) }
        if let driver, record.driver != driver { return false }
        if let level, record.level < level { return false }
        if self.actor != nil || self.incarnation != nil {
            guard let actor = record.actor, self.matches(actor) else { return false }
        }
        if let task {
            guard let name = record.task, Glob(task).matchesName(name) else { return false }
        }
        if let text, !record.text.contains(text) { return false }
        return true
    }

    /// Whether a record may be wanted, by what its sketch says of it.
    package func mayMatch(_ sketch: LogSketch) -> Bool {
        guard sketch.kind != .gap else { return true }
        if let level, sketch.level < level { return false }
        if let driver, sketch.driver != driver { return false }
        if self.actor != nil || self.incarnation != nil, sketch.actor == nil { return false }
        if self.task != nil, sketch.task == nil { return false }
        return true
    }

    /// Whether an actor is the one that is meant, if one is.
    package func matches(_ actor: LogRecord.Actor) -> Bool {
        if let incarnation, actor.incarnation != incarnation { return false }
        guard let choice = self.actor else { return true }
        let glob = Glob(choice)
        if let name = actor.name, glob.matches(name) { return true }
        if glob.matchesName(actor.typeName) { return true }
        guard let mark = choice.lastIndex(of: "#") else { return Self.matches(choice, actor.id, leastDigits: 4) }
        // As lines begin: the node is no part of it, and not needed.
        let type = choice[..<mark].split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard type.isEmpty || Glob(String(type)).matchesName(actor.typeName) else { return false }
        return Self.matches(String(choice[choice.index(after: mark)...]), actor.id, leastDigits: 1)
    }

    private static func matches(_ choice: String, _ id: UniqueID, leastDigits: Int) -> Bool {
        let digits = choice.lowercased()
        let (known, rest) = (digits.utf8.prefix(while: Self.isHexDigit), digits.utf8.drop(while: Self.isHexDigit))
        guard (leastDigits...32).contains(known.count) else { return false }
        return rest.isEmpty ? id.description.hasPrefix(digits) : Glob(digits).matches(id.description)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

/// A pattern in which `*` stands for anything and `?` for one character.
package struct Glob: Hashable, Sendable {
    private let pattern: [Character]
    private let isPlain: Bool
    private let text: String

    package init(_ text: String) {
        self.text = text
        self.isPlain = !text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
        self.pattern = self.isPlain ? [] : Array(text)
    }

    /// Whether it is the name of a type, with its module or without.
    package func matchesName(_ type: String) -> Bool { self.matches(type) || self.matches(shortName(ofType: type)) }

    /// Whether a text is as the pattern says, all of it. Takes no more than the product of both lengths.
    package func matches(_ text: String) -> Bool {
        if self.isPlain { return text == self.text }
        let text = Array(text)
        var (place, next) = (0, 0)
        // Where to go on when what followed the last star was wrong.
        var retry: (place: Int, next: Int)?
        while place < text.count {
            if next < self.pattern.count, self.pattern[next] == "*" {
                retry = (place, next + 1)
                next += 1
            } else if next < self.pattern.count, self.pattern[next] == "?" || self.pattern[next] == text[place] {
                place += 1
                next += 1
            } else if let last = retry {
                retry = (last.place + 1, last.next)
                (place, next) = (last.place + 1, last.next)
            } else {
                return false
            }
        }
        return self.pattern[next...].allSatisfy { $0 == "*" }
    }
}
