import FoundationEssentials
import Logging
package import MeshCore
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
    ///   - follow: whether to go on with what is said from now on, until the reader lets go of the stream or the query's
    ///     `until` is over. Then the stream survives that the broker is away, and goes on where it was without loss or
    ///     repetition; with a broker that keeps its logs in memory, as far as the nodes still have them.
    /// - Returns: a stream that ends after what is there, or does not end. Where records had to make room before they were
    ///   read, it has a ``LogRecord/Kind/gap`` with their number. Its iteration throws `brokerUnavailable` when
    ///   the broker goes away and `follow` is false, and `unauthorized` when this process may not read logs.
    /// - Throws: `brokerUnavailable` when the broker cannot be reached now; `unauthorized`.
    public func logs(_ query: LogQuery = LogQuery(), follow: Bool = false) async throws -> MeshStream<LogRecord> {
        try await self.logs(query, follow: follow) { _ in }
    }

    /// The same.
    ///
    /// - Parameter waits: is told for what a reader that follows waits before it tries again, and then of nil when it goes
    ///   on.
    package func logs(
        _ query: LogQuery, follow: Bool, waits: @escaping @Sendable (MeshError?) -> Void
    ) async throws -> MeshStream<LogRecord> {
        if let limit = query.limit, limit < 0 {
            throw MeshError(.invalidArgument, "A limit of \(limit) records makes no sense; give 0 or more.")
        }
        let reading = LogReading(query, on: self)
        let history = try await reading.begin()
        return MeshStream { continuation in
            try await reading.run(history, follow: follow, waits: waits) { try await continuation.send($0) }
        }
    }
}

extension Mesh {
    /// How much the collector of this mesh has, and how much never came to it.
    ///
    /// - Throws: `brokerUnavailable`.
    package func logUsage() async throws -> LogUsage {
        try await self.membership.ask { _ in try await self.membership.logCollector().usage() }
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
        /// How many records there were before that place.
        var records: UInt64 = 0
    }

    func begin() async throws -> Start {
        try await self.mesh.membership.ask { _ in
            let end = try await self.collector().end()
            guard let limit = self.query.limit else { return Start(place: 0, store: end.store) }
            var start = Start(place: end.place, store: end.store, records: end.records)
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

    /// - Parameters:
    ///   - reached: is told after each page how far was read, and in which store.
    ///   - waits: is told what is waited for, and nil when that is over.
    func run(
        _ start: Start, follow: Bool, reached: (Start) -> Void = { _ in },
        waits: (MeshError?) -> Void = { _ in },
        _ send: (LogRecord) async throws -> Void
    ) async throws {
        var seen = SeenRecords()
        if let limit = self.query.limit {
            var records = try start.newest.reversed().flatMap { try Self.records($0) }
            records.removeFirst(max(0, records.count - limit))
            for record in records where seen.isNew(record) { try await send(record) }
            guard follow else { return }
        }
        var isWaiting = false
        var reading = Start(place: start.place, store: start.store, records: start.records)
        while true {
            do {
                let page = try await self.page(from: reading.place, of: reading.store, follow: follow)
                if let gap = self.gap(before: page, from: reading) { try await send(gap) }
                for record in try Self.records(page) where seen.isNew(record) { try await send(record) }
                reading = Start(place: page.place, store: page.store, records: page.records)
                reached(reading)
                if isWaiting { waits(nil) }
                isWaiting = false
                if !page.hasMore, !follow || self.isOver { return }
            } catch let error as MeshError where follow && Self.mayPass(error.code) && !self.mesh.isStopped {
                if !isWaiting { waits(error) }
                isWaiting = true
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// Whether nothing more can come that is wanted. What was said a moment before is on its way for a while.
    private var isOver: Bool { self.query.until.map { Date() > $0 + Self.delay } ?? false }

    /// In seconds.
    private static let delay: TimeInterval = 1

    /// What tells that records were removed before they could be read.
    private func gap(before page: LogPage, from reading: Start) -> LogRecord? {
        guard let removed = page.removed, removed > reading.records else { return nil }
        let count = removed - reading.records
        return LogRecord(
            node: LogRecord.collectorNode, processID: 0, source: page.store, sequence: removed, date: Date(),
            level: .warning, kind: .gap,
            text:
                "\(count) records, of all that was said, are missing: the collector had to make room before they could be "
                + "read", dropped: count)
    }

    private func page(from place: UInt64, of store: UniqueID, follow: Bool) async throws -> LogPage {
        let lease = self.mesh.settings.leaseTime
        var patience = follow ? lease / 2 : .zero
        if let until = self.query.until {
            patience = min(patience, .seconds(max(0, until.timeIntervalSinceNow + Self.delay)))
        }
        let wait = patience.nanoseconds
        return try await self.mesh.membership.ask { _ in
            try await self.mesh.withDeadline(lease * 2) {
                try await self.collector().read(self.query, from: place, of: store, patience: wait)
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
