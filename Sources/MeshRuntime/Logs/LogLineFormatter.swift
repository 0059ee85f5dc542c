import FoundationEssentials
import Logging
import MeshCore

/// How a process shows what its workers say.
public enum WorkerOutputStyle: String, Hashable, Sendable, Codable, CaseIterable {
    /// Each line behind whose it is: `worker-2/Trainer#a3f1 │ …`, aligned.
    case prefixed
    /// Lines of output as they are.
    case plain
    /// Nothing; the collector has it.
    case none
}

/// Records as lines for people: `worker-2/Trainer#a3f1 │ text`. Lines below each other stay aligned.
package struct LogLineFormatter: Sendable {
    private var width = 0
    /// A name that is longer does not push all others to the right for ever.
    private static let widest = 40

    package init() {}

    /// Whose record it is: `worker-2/Trainer#a3f1`, `worker-2/Publish#4711` for a task in process 4711.
    package static func origin(of record: LogRecord) -> String {
        if let actor = record.actor {
            return "\(record.node)/\(shortName(ofType: actor.typeName))#\(actor.id.description.prefix(4))"
        }
        if record.processID == 0 { return record.node }
        return "\(record.node)/\(record.task.map(shortName(ofType:)) ?? "process")#\(record.processID)"
    }

    /// The beginning of a record's lines, as wide as those before.
    package mutating func paddedOrigin(of record: LogRecord) -> String {
        let origin = Self.origin(of: record)
        self.width = min(Self.widest, max(self.width, origin.count))
        return origin + String(repeating: " ", count: max(0, self.width - origin.count))
    }

    /// What a record says: for a log statement with its level before and its metadata behind.
    package static func text(of record: LogRecord) -> String {
        switch record.kind {
        case .output, .errorOutput: return record.text
        case .message: return record.metadata["sender"].map { "\($0): \(record.text)" } ?? record.text
        case .crash, .gap: return "\(record.level): \(record.text)"
        case .log:
            let metadata = record.metadata.filter { $0.key != "logger" }.sorted { $0.key < $1.key }
            let tail = metadata.map { " \($0.key)=\($0.value)" }.joined()
            return "\(record.level): \(record.text)\(tail)"
        }
    }

    /// A record as one line, or several below each other.
    package mutating func line(_ record: LogRecord) -> String {
        let origin = self.paddedOrigin(of: record)
        let lines = Self.text(of: record).split(separator: "\n", omittingEmptySubsequences: false)
        return lines.map { $0.isEmpty ? "\(origin) │" : "\(origin) │ \($0)" }.joined(separator: "\n")
    }
}
