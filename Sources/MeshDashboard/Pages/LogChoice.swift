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
    /// Nothing that is older than this: `30s`, `5m`, `2h`, `7d`.
    var since: String?
    /// How many records, the newest.
    var limit: Int

    static let standardLimit = 200
    static let maximumLimit = 1000
    /// What the page offers as an age.
    static let ages = ["1m", "5m", "1h", "1d"]

    init(
        actor: String? = nil, task: String? = nil, node: String? = nil, level: Logger.Level? = nil,
        text: String? = nil, incarnation: UInt64? = nil, since: String? = nil, limit: Int = standardLimit
    ) {
        self.actor = actor
        self.task = task
        self.node = node
        self.level = level
        self.text = text
        self.incarnation = incarnation
        self.since = since
        self.limit = limit
    }

    /// Reads the parameters of an address. What makes no sense in them is as if it were not there.
    init(_ query: QueryParameters) {
        func bounded(_ name: String) -> String? { query[name].map { String($0.prefix(200)) } }
        self.init(
            actor: bounded("actor"), task: bounded("task"), node: bounded("node"),
            level: query["level"].flatMap(Logger.Level.init(rawValue:)), text: bounded("text"),
            incarnation: query["incarnation"].flatMap { UInt64($0) },
            since: query["since"].flatMap { Self.seconds(in: $0) == nil ? nil : $0 },
            limit: min(max(1, query["limit"].flatMap { Int($0) } ?? Self.standardLimit), Self.maximumLimit))
    }

    var parameters: [(name: String, value: String)] {
        let parameters = [
            ("actor", self.actor ?? ""), ("task", self.task ?? ""), ("node", self.node ?? ""),
            ("level", self.level?.rawValue ?? ""), ("text", self.text ?? ""),
            ("incarnation", self.incarnation.map(String.init) ?? ""), ("since", self.since ?? ""),
            ("limit", self.limit == Self.standardLimit ? "" : "\(self.limit)"),
        ]
        return parameters.filter { !$0.1.isEmpty }
    }

    /// What the mesh is asked.
    func query(at now: Date) -> LogQuery {
        LogQuery(
            actor: self.actor, task: self.task, node: self.node,
            since: self.since.flatMap(Self.seconds).map { now.addingTimeInterval(-$0) },
            level: self.level, text: self.text, incarnation: self.incarnation, limit: self.limit)
    }

    /// How long ago `5m` is; nil when it is no such thing.
    private static func seconds(in age: String) -> Double? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = age.last.flatMap({ units[$0] }), (2...6).contains(age.utf8.count),
            let number = UInt32(age.dropLast())
        else { return nil }
        return Double(number) * unit
    }
}
