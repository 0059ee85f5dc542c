import FoundationEssentials
import Glibc
import MeshCore
package import MeshRuntime

/// What is known of a stretch of records, so that a search can pass over it.
package struct LogSummary: Hashable, Sendable, Codable {
    /// Where it begins in its file.
    package var place: Int
    /// How many batches it has.
    package var count = 0
    /// How many records those have.
    package var records = 0
    /// Nanoseconds since 1970.
    package var earliest: UInt64 = .max
    package var latest: UInt64 = 0
    /// The most important level; ``Logging/Logger/Level`` as a number.
    package var level: UInt64 = 0
    /// The actors and tasks, as places in the lists of the segment; nil for too many.
    package var actors: Set<Int>? = []
    package var tasks: Set<Int>? = []
    package var nodes: Set<Int> = []
    /// Whether there are gaps, which everybody is told.
    package var hasGaps = false

    /// More are not listed.
    package static let listed = 64

    package init(place: Int) { self.place = place }
}

/// Names that occur in a segment, each once.
package struct LogNames: Hashable, Sendable, Codable {
    package private(set) var actors: [LogRecord.Actor] = []
    package private(set) var tasks: [String] = []
    package private(set) var nodes: [String] = []
    private var actorPlaces: [UniqueID: [Int]] = [:]
    private var taskPlaces: [String: Int] = [:]
    private var nodePlaces: [String: Int] = [:]

    private enum CodingKeys: String, CodingKey {
        case actors
        case tasks
        case nodes
    }

    package init() {}

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        for actor in try container.decode([LogRecord.Actor].self, forKey: .actors) { _ = self.place(of: actor) }
        for task in try container.decode([String].self, forKey: .tasks) { _ = self.place(ofTask: task) }
        for node in try container.decode([String].self, forKey: .nodes) { _ = self.place(ofNode: node) }
    }

    package mutating func place(of actor: LogRecord.Actor) -> Int {
        let known = self.actorPlaces[actor.id] ?? []
        if let place = known.last(where: { self.actors[$0] == actor }) { return place }
        self.actors.append(actor)
        self.actorPlaces[actor.id, default: []].append(self.actors.count - 1)
        return self.actors.count - 1
    }

    package mutating func place(ofTask task: String) -> Int {
        if let place = self.taskPlaces[task] { return place }
        self.tasks.append(task)
        self.taskPlaces[task] = self.tasks.count - 1
        return self.tasks.count - 1
    }

    package mutating func place(ofNode node: String) -> Int {
        if let place = self.nodePlaces[node] { return place }
        self.nodes.append(node)
        self.nodePlaces[node] = self.nodes.count - 1
        return self.nodes.count - 1
    }
}

extension LogSummary {
    /// Counts a batch in.
    ///
    /// - Throws: `WireError` when a record of it is none.
    package mutating func add(_ batch: LogBatch, _ names: inout LogNames) throws {
        self.nodes.insert(names.place(ofNode: batch.node))
        // Of records that follow each other most have the same origin.
        var lastActor: Range<Int>?
        var lastTask: Range<Int>?
        try batch.forEachSketch { sketch, _, bytes, _ in
            self.earliest = min(self.earliest, sketch.time)
            self.latest = max(self.latest, sketch.time)
            self.level = max(self.level, sketch.level.number)
            self.hasGaps = self.hasGaps || sketch.kind == .gap
            if let place = sketch.actor, self.actors != nil, !Self.isSame(place, lastActor, bytes) {
                var reader = WireReader(bytes, offset: place.lowerBound)
                self.actors?.insert(names.place(of: try LogRecord.Actor(reading: &reader)))
                if (self.actors?.count ?? 0) > Self.listed { self.actors = nil }
                lastActor = place
            }
            if let place = sketch.task, self.tasks != nil, !Self.isSame(place, lastTask, bytes) {
                var reader = WireReader(bytes, offset: place.lowerBound)
                self.tasks?.insert(names.place(ofTask: try reader.readString(maximumBytes: LogContent.longestMetadata)))
                if (self.tasks?.count ?? 0) > Self.listed { self.tasks = nil }
                lastTask = place
            }
        }
        self.count += 1
        self.records += batch.count
    }

    private static func isSame(_ place: Range<Int>, _ other: Range<Int>?, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let other, place.count == other.count, let start = bytes.baseAddress else { return false }
        return memcmp(start + place.lowerBound, start + other.lowerBound, place.count) == 0
    }
}

/// A query with the names of one segment found in advance.
package struct LogSearch {
    private let query: LogQuery
    private let actors: Set<Int>?
    private let tasks: Set<Int>?
    private let nodes: Set<Int>?
    private let since: UInt64
    private let until: UInt64

    package init(_ query: LogQuery, in names: LogNames) {
        self.query = query
        self.actors =
            query.actor == nil && query.incarnation == nil
            ? nil : Set(names.actors.indices.filter { query.matches(names.actors[$0]) })
        self.tasks = query.task.map { task in
            let glob = Glob(task)
            return Set(names.tasks.indices.filter { glob.matchesName(names.tasks[$0]) })
        }
        self.nodes = query.node.map { node in
            let glob = Glob(node)
            return Set(names.nodes.indices.filter { glob.matches(names.nodes[$0]) })
        }
        // A date has less digits than a time in nanoseconds: what is on the edge is looked at.
        let slack: UInt64 = 1_000
        self.since = query.since.map { max(LogTime.nanoseconds($0), slack) - slack } ?? 0
        self.until = query.until.map { min(LogTime.nanoseconds($0), .max - slack) + slack } ?? .max
    }

    /// Whether there may be something in a stretch.
    package func mayMatch(_ summary: LogSummary) -> Bool {
        guard summary.latest >= self.since, summary.earliest <= self.until else { return false }
        if let nodes, nodes.isDisjoint(with: summary.nodes) { return false }
        if summary.hasGaps { return true }
        if let level = self.query.level, summary.level < level.number { return false }
        if let wanted = self.actors, let there = summary.actors, wanted.isDisjoint(with: there) { return false }
        if let wanted = self.tasks, let there = summary.tasks, wanted.isDisjoint(with: there) { return false }
        return true
    }
}
