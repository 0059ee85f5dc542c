public import Logging

/// Sends what a program logs to its mesh's collector, where `mesh logs` and ``MeshRuntime/Mesh`` find it after the
/// process has ended.
///
/// A `MeshProgram` uses it in every process unless it bootstraps something else. Other programs say so once, before they
/// have a mesh:
///
/// ```swift
/// LoggingSystem.bootstrap { MeshLogHandler(label: $0) }
/// ```
///
/// In a worker a record is in memory that it shares with its node when the log statement returns: it is not lost when
/// the process is killed. It has the actor or the task in whose name the code runs. When a process logs faster than its
/// node takes, the statement waits; other processes do not.
///
/// Where swift-distributed-tracing has a tracer, a record has the ID of the trace that it belongs to: the one that is in its
/// metadata as `trace_id`, or the one that calls carry.
///
/// What is not a worker's goes to standard error as well, as swift-log's own handler writes it; outside of a mesh, before it
/// is joined and after it was left, only there. So does what the mesh itself logs in a program.
///
/// Texts are cut at 64 KiB; of metadata 64 pairs are kept, each part of which is cut at 4 KiB.
public struct MeshLogHandler: LogHandler {
    private let label: String
    private var fallback: StreamLogHandler

    /// Metadata of all records.
    public var metadata: Logger.Metadata {
        get { self.fallback.metadata }
        set { self.fallback.metadata = newValue }
    }

    /// What else belongs to the records of the code that runs.
    public var metadataProvider: Logger.MetadataProvider? {
        get { self.fallback.metadataProvider }
        set { self.fallback.metadataProvider = newValue }
    }

    /// The least important records that are taken.
    public var logLevel: Logger.Level {
        get { self.fallback.logLevel }
        set { self.fallback.logLevel = newValue }
    }

    /// Makes a handler for a logger; see `LoggingSystem.bootstrap`.
    public init(label: String) {
        self.label = label
        self.fallback = StreamLogHandler.standardError(label: label)
    }

    /// A part of the metadata.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.fallback[metadataKey: key] }
        set { self.fallback[metadataKey: key] = newValue }
    }

    /// Takes a record.
    public func log(event: LogEvent) {
        guard let sink = LogOutlet.current else { return self.fallback.log(event: event) }
        if !sink.isShown {
            self.fallback.log(event: event)
            // What the mesh itself has to say of its messages must not become messages.
            guard !self.label.hasPrefix("actormesh") else { return }
        }
        let metadata = MergedMetadata(self.metadata, self.metadataProvider, event)
        let (time, text, origin) = (LogOutlet.now(), event.message.description, LogOrigin.current)
        let trace = metadata.traceID?.description ?? CallTracing.currentTraceID
        sink.write { buffer in
            let count = min(metadata.count, LogContent.mostMetadata - 1)
            LogContent.writeHead(.log, event.level, time, text, count + 1, of: origin, to: buffer)
            LogContent.write("logger", self.label, to: buffer)
            metadata.forEach(atMost: count) { LogContent.write($0, $1.description, to: buffer) }
            LogContent.writeOrigin(origin, traceID: trace, dropped: 0, to: buffer)
        }
    }
}

/// The metadata of a record from all that have some. Usually no more than one has, and nothing is copied then.
private struct MergedMetadata {
    private let all: Logger.Metadata
    /// Without the trace.
    let count: Int
    let traceID: Logger.Metadata.Value?

    /// Under which names tracing libraries put the ID of a trace into metadata.
    private static let traceKeys: Set = ["trace_id", "trace-id", "traceID"]

    init(_ own: Logger.Metadata, _ provider: Logger.MetadataProvider?, _ event: LogEvent) {
        var all = own
        if let provided = provider?.get() { Self.merge(provided, into: &all) }
        if let own = event.metadata { Self.merge(own, into: &all) }
        if let error = event.error {
            all["error.message"] = "\(error)"
            all["error.type"] = "\(String(reflecting: type(of: error)))"
        }
        self.all = all
        guard !all.isEmpty else {
            (self.count, self.traceID) = (0, nil)
            return
        }
        var (traces, trace) = (0, Logger.Metadata.Value?.none)
        for (key, value) in all where Self.isTrace(key) { (traces, trace) = (traces + 1, value) }
        (self.count, self.traceID) = (all.count - traces, trace)
    }

    private static func merge(_ more: Logger.Metadata, into all: inout Logger.Metadata) {
        guard !more.isEmpty else { return }
        if all.isEmpty { all = more } else { all.merge(more) { $1 } }
    }

    /// Most keys are told apart by how long they are.
    private static func isTrace(_ key: String) -> Bool { (7...8).contains(key.utf8.count) && traceKeys.contains(key) }

    func forEach(atMost limit: Int, _ body: (String, Logger.Metadata.Value) -> Void) {
        var left = limit
        for (key, value) in self.all where !Self.isTrace(key) {
            guard left > 0 else { return }
            left -= 1
            body(key, value)
        }
    }
}
