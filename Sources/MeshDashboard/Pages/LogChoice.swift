import ActorMesh
import FoundationEssentials
import Logging
import MeshRuntime

/// Which records of the log a page shows, as its address says it.
struct LogChoice: Hashable, Sendable {
    var actor: String?
    var task: String?
    var node: String?
    var level: Logger.Level?
    var text: String?
    var incarnation: UInt64?
    /// Nothing that is older than this; see ``ages``.
    var age: String?
    /// How many records, the newest.
    var limit: Int

    static let standardLimit = 200
    static let maximumLimit = 1000
    /// What may be chosen as an age.
    static let ages: [(name: String, seconds: Double)] = [
        ("1m", 60), ("5m", 300), ("1h", 3600), ("1d", 86_400),
    ]

    init(
        actor: String? = nil, task: String? = nil, node: String? = nil, level: Logger.Level? = nil,
        text: String? = nil, incarnation: UInt64? = nil, age: String? = nil, limit: Int = standardLimit
    ) {
        self.actor = actor
        self.task = task
        self.node = node
        self.level = level
        self.text = text
        self.incarnation = incarnation
        self.age = age
        self.limit = limit
    }

    /// Reads the parameters of an address. What makes no sense in them is as if it were not there.
    init(_ query: QueryParameters) {
        func bounded(_ name: String) -> String? { query[name].map { String($0.prefix(200)) } }
        self.init(
            actor: bounded("actor"), task: bounded("task"), node: bounded("node"),
            level: query["level"].flatMap(Logger.Level.init(rawValue:)), text: bounded("text"),
            incarnation: query["incarnation"].flatMap { UInt64($0) },
            age: query["age"].flatMap { age in Self.ages.contains { $0.name == age } ? age : nil },
            limit: min(max(1, query["limit"].flatMap { Int($0) } ?? Self.standardLimit), Self.maximumLimit))
    }

    var parameters: [(name: String, value: String)] {
        let parameters = [
            ("actor", self.actor ?? ""), ("task", self.task ?? ""), ("node", self.node ?? ""),
            ("level", self.level?.rawValue ?? ""), ("text", self.text ?? ""),
            ("incarnation", self.incarnation.map(String.init) ?? ""), ("age", self.age ?? ""),
            ("limit", self.limit == Self.standardLimit ? "" : "\(self.limit)"),
        ]
        return parameters.filter { !$0.1.isEmpty }
    }

    /// What the mesh is asked.
    func query(at now: Date) -> LogQuery {
        let age = Self.ages.first { $0.name == self.age }
        return LogQuery(
            actor: self.actor, task: self.task, node: self.node, since: age.map { now.addingTimeInterval(-$0.seconds) },
            level: self.level, text: self.text, incarnation: self.incarnation, limit: self.limit)
    }
}
