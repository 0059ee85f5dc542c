import FoundationEssentials
import Logging
import MeshCore
import MeshRuntime

/// Batches for tests.
enum Batches {
    static let source = UniqueID(high: 7, low: 70)

    static func actor(_ number: UInt64, name: String? = nil) -> LogRecord.Actor {
        LogRecord.Actor(
            typeName: "Fixtures.Trainer", name: name, id: UniqueID(high: 9, low: number << 32), incarnation: 1)
    }

    static func batch(
        _ number: UInt64, _ texts: [String], source: UniqueID = Self.source, first: UInt64 = 1, node: String = "alpha",
        time: UInt64 = 1_000_000_000, level: Logger.Level = .info, actor: LogRecord.Actor? = nil
    ) -> LogBatch {
        var run = LogRun()
        for text in texts {
            run.add(LogContent(kind: .output, level: level, time: time, text: text, actor: actor))
        }
        return LogBatch(
            number: number, source: source, node: node, processID: 42, firstSequence: first, count: run.count,
            contents: run.contents)
    }

    static func texts(_ batches: [Data]) throws -> [String] {
        try batches.flatMap { try LogBatch(reading: $0).records().map(\.text) }
    }
}

/// A folder that goes with the test.
final class Folder {
    let path: String

    init() {
        self.path = "\(FileManager.default.temporaryDirectory.path)/logs-\(UInt64.random(in: 0...UInt64.max))"
        try? FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    func files(_ suffix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self.path).filter { $0.hasSuffix(suffix) }.sorted()
            .map { "\(self.path)/\($0)" }
    }
}
