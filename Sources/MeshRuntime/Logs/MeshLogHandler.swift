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
        let time = LogOutlet.now()
        let text = event.message.description
        let origin = LogOrigin.current
        var metadata = self.allMetadata(event)
        let trace = Self.traceKeys.lazy.compactMap { metadata.removeValue(forKey: $0) }.first
        let kept = metadata.prefix(LogContent.mostMetadata - 1)
        sink.write { buffer in
            LogContent.writeHead(.log, event.level, time, text, kept.count + 1, to: buffer)
            LogContent.write("logger", self.label, to: buffer)
            for (key, value) in kept { LogContent.write(key, value.description, to: buffer) }
            LogContent.writeOrigin(
                origin.actor, task: origin.task, traceID: trace?.description, dropped: 0, to: buffer)
        }
    }

    /// Under which names tracing libraries put the ID of a trace into metadata.
    private static let traceKeys = ["trace_id", "trace-id", "traceID"]

    private func allMetadata(_ event: LogEvent) -> Logger.Metadata {
        var all = self.metadata
        if let provided = self.metadataProvider?.get(), !provided.isEmpty { all.merge(provided) { $1 } }
        if let own = event.metadata, !own.isEmpty { all.merge(own) { $1 } }
        if let error = event.error {
            all["error.message"] = "\(error)"
            all["error.type"] = "\(String(reflecting: type(of: error)))"
        }
        return all
    }
}
