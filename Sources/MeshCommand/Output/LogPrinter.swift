import ActorMesh
import FoundationEssentials
import Logging

/// Prints records one by one.
struct LogPrinter {
    private let format: FormatOptions.Format
    private let style: TerminalStyle
    private var formatter = LogLineFormatter()

    init(_ format: FormatOptions.Format, style: TerminalStyle = .standardOutput) {
        self.format = format
        self.style = style
    }

    mutating func print(_ record: LogRecord) throws {
        switch self.format {
        case .text: say(self.line(record), to: 1)
        case .json: say(try jsonText(LogRow(record)), to: 1)
        }
    }

    /// `worker-2/Trainer#a3f1 │ text`; further lines of the text stand below it.
    mutating func line(_ record: LogRecord) -> String {
        let origin = self.style.bold(printable(self.formatter.paddedOrigin(of: record)))
        let text = LogLineFormatter.text(of: record)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }
        let head = "\(origin) \(self.style.dim("│"))"
        return lines.map { $0.isEmpty ? head : "\(head) \(self.style.colour($0, of: record.level))" }
            .joined(separator: "\n")
    }
}

/// A record as programs read it.
struct LogRow: Encodable {
    var date: String
    var node: String
    var process: Int32
    var source: String
    var sequence: UInt64
    var kind: String
    var level: String
    var text: String
    var metadata: [String: String]
    var actor: Actor?
    var task: String?
    var traceID: String?
    var dropped: UInt64
    var driver: String?

    struct Actor: Encodable {
        var id: String
        var type: String
        var name: String?
        var incarnation: UInt64
    }

    init(_ record: LogRecord) {
        self.date = record.date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        self.node = record.node
        self.process = record.processID
        self.source = record.source.description
        self.sequence = record.sequence
        self.kind = record.kind.rawValue
        self.level = record.level.rawValue
        self.text = record.text
        self.metadata = record.metadata
        self.actor = record.actor.map {
            Actor(id: $0.id.description, type: $0.typeName, name: $0.name, incarnation: $0.incarnation)
        }
        self.task = record.task
        self.traceID = record.traceID
        self.dropped = record.dropped
        self.driver = record.driver?.description
    }
}

extension TerminalStyle {
    /// What is important stands out.
    func colour(_ text: String, of level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: self.dim(text)
        case .info, .notice: text
        case .warning: self.coloured(text, 33)
        case .error, .critical: self.coloured(text, 31)
        }
    }
}
