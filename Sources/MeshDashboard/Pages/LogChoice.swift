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
    /// Nothing that is older: a time ago such as `5m`, or a date.
    var since: String?
    /// Nothing that is newer; the same.
    var until: String?
    /// How many records, the newest.
    var limit: Int

    static let standardLimit = 200
    static let maximumLimit = 1000
    /// What the page offers as times.
    static let ages = ["1m", "5m", "1h", "1d"]

    init(
        actor: String? = nil, task: String? = nil, node: String? = nil, level: Logger.Level? = nil,
        text: String? = nil, incarnation: UInt64? = nil, since: String? = nil,
        until: String? = nil, limit: Int = standardLimit
    ) {
        self.actor = actor
        self.task = task
        self.node = node
        self.level = level
        self.text = text
        self.incarnation = incarnation
        self.since = since
        self.until = until
        self.limit = limit
    }

    /// Reads the parameters of an address. Times that make no sense stay as they were written, so that whoever wrote them
    /// can mend them.
    init(_ reader: inout ParameterReader) {
        for name in ["since", "until"] { _ = reader.value(name, LogTime.words) { LogTime.date($0, before: Date()) } }
        self.init(
            actor: reader.text("actor"), task: reader.text("task"), node: reader.text("node"),
            level: reader.value("level", alternatives(Logger.Level.allCases.map(\.rawValue))) { text in
                Logger.Level(rawValue: text.lowercased())
            },
            text: reader.text("text"),
            incarnation: reader.value("incarnation", "a life of an actor, counted from 1") { text in
                UInt64(text).flatMap { $0 > 0 ? $0 : nil }
            },
            since: reader.text("since"), until: reader.text("until"),
            limit: reader.number("limit", from: 1, to: Self.maximumLimit, standard: Self.standardLimit))
    }

    var parameters: [(name: String, value: String)] {
        let parameters = [
            ("actor", self.actor ?? ""), ("task", self.task ?? ""), ("node", self.node ?? ""),
            ("level", self.level?.rawValue ?? ""), ("text", self.text ?? ""),
            ("incarnation", self.incarnation.map(String.init) ?? ""), ("since", self.since ?? ""),
            ("until", self.until ?? ""),
            ("limit", self.limit == Self.standardLimit ? "" : "\(self.limit)"),
        ]
        return parameters.filter { !$0.1.isEmpty }
    }

    /// What the mesh is asked.
    func query(at now: Date) -> LogQuery {
        LogQuery(
            actor: self.actor, task: self.task, node: self.node,
            since: self.since.flatMap { LogTime.date($0, before: now) },
            until: self.until.flatMap { LogTime.date($0, before: now) },
            level: self.level, text: self.text, incarnation: self.incarnation, limit: self.limit)
    }
}
