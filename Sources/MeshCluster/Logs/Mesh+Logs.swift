import FoundationEssentials
import MeshCore
public import MeshRuntime

extension Mesh {
    /// What the processes of this mesh have said, and say: lines of output, log records, messages, crashes.
    ///
    /// Records of one source come in the order in which it said them, each once; those of several sources as they
    /// arrived at the collector. Actors, nodes and earlier lives that have ended are there as long as the collector keeps
    /// what they said (see `mesh broker --help`).
    ///
    /// - Parameters:
    ///   - query: what is wanted; everything unless said otherwise.
    ///   - follow: whether to go on with what is said from now on, until the reader lets go of the stream. Then the stream
    ///     survives that the broker is away, and goes on where it was without loss or repetition; with a broker that
    ///     keeps its logs in memory, as far as the nodes still have them.
    /// - Returns: a stream that ends after what is there, or does not end. Its iteration throws `brokerUnavailable` when
    ///   the broker goes away and `follow` is false, and `unauthorized` when this process may not read logs.
    /// - Throws: `brokerUnavailable` when the broker cannot be reached now; `unauthorized`.
    public func logs(_ query: LogQuery = LogQuery(), follow: Bool = false) async throws -> MeshStream<LogRecord> {
        if let limit = query.limit, limit < 0 {
            throw MeshError(.invalidArgument, "A limit of \(limit) records makes no sense; give 0 or more.")
        }
        let reading = LogReading(query, on: self)
        let history = try await reading.begin()
        return MeshStream { continuation in
            try await reading.run(history, follow: follow) { try await continuation.send($0) }
        }
    }
}

/// Reads what the collector has, page by page.
struct LogReading {
    private let query: LogQuery
    private let mesh: Mesh

    init(_ query: LogQuery, on mesh: Mesh) {
        self.query = query
        self.mesh = mesh
    }

    /// Where to begin: with the newest records of a limited history, or from the start.
    struct Start: Sendable {
        var newest: [LogPage] = []
        var place: UInt64
        var store: UniqueID
    }

    func begin() async throws -> Start {
        try await self.mesh.membership.ask { _ in
            let end = try await self.collector().end()
            guard let limit = self.query.limit else { return Start(place: 0, store: end.store) }
            var start = Start(place: end.place, store: end.store)
            var (place, missing) = (end.place, limit)
            while missing > 0 {
                let page = try await self.collector().readBack(
                    self.query, before: place, of: end.store, atLeast: missing)
                missing -= try page.batches.reduce(0) { try $0 + LogBatch(reading: $1).count }
                place = page.place
                start.newest.append(page)
                if !page.hasMore { break }
            }
            return start
        }
    }

    /// - Parameter reached: is told after each page how far was read, and in which store.
    func run(
        _ start: Start, follow: Bool, reached: (UInt64, UniqueID) -> Void = { _, _ in },
        _ send: (LogRecord) async throws -> Void
    ) async throws {
        var seen = SeenRecords()
        if let limit = self.query.limit {
            var records = try start.newest.reversed().flatMap { try Self.records($0) }
            records.removeFirst(max(0, records.count - limit))
            for record in records where seen.isNew(record) { try await send(record) }
            guard follow else { return }
        }
        var (place, store) = (start.place, start.store)
        while true {
            do {
                let page = try await self.page(from: place, of: store, follow: follow)
                for record in try Self.records(page) where seen.isNew(record) { try await send(record) }
                (place, store) = (page.place, page.store)
                reached(place, store)
                if !follow, !page.hasMore { return }
            } catch let error as MeshError where follow && Self.mayPass(error.code) && !self.mesh.isStopped {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private func page(from place: UInt64, of store: UniqueID, follow: Bool) async throws -> LogPage {
        let patience = self.mesh.settings.leaseTime
        return try await self.mesh.membership.ask { _ in
            try await self.mesh.withDeadline(patience * 2) {
                try await self.collector().read(
                    self.query, from: place, of: store, patience: follow ? patience.nanoseconds / 2 : 0)
            }
        }
    }

    private func collector() throws -> LogCollector {
        try self.mesh.membership.logCollector()
    }

    private static func records(_ page: LogPage) throws -> [LogRecord] {
        try page.batches.flatMap { try LogBatch(reading: $0).records() }
    }

    private static func mayPass(_ code: MeshError.Code) -> Bool {
        [.brokerUnavailable, .actorUnavailable, .actorDied, .deadlineExceeded].contains(code)
    }
}

/// What a reader has had of each source, so that it gets nothing twice when another collector begins anew.
struct SeenRecords {
    private var recent: [UniqueID: UInt64] = [:]
    private var older: [UniqueID: UInt64] = [:]
    /// Of so many sources at least.
    static let remembered = 20_000

    mutating func isNew(_ record: LogRecord) -> Bool {
        let last = self.recent[record.source] ?? self.older[record.source] ?? 0
        guard record.sequence > last else { return false }
        self.recent[record.source] = record.sequence
        if self.recent.count >= Self.remembered {
            self.older = self.recent
            self.recent = [:]
        }
        return true
    }
}
