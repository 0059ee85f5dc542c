public import Foundation
import GRDB
import Glibc
public import MeshRuntime
import Synchronization

/// Keeps all states in one SQLite database, for the processes of one host.
///
/// A save is a transaction, on the disk when it returns (write-ahead log, `synchronous` full). Processes that write at
/// the same time wait for each other, at most as long as the busy timeout says, and then fail.
///
/// The database is opened at the first use, so that making a store costs nothing in a process without persistent actors.
public final class SQLiteStateStore: StateStore {
    /// The file of the database.
    public let path: String
    private let busyTimeout: Duration
    private let maximumSize: Int?
    private let opened = Mutex<DatabaseQueue?>(nil)

    /// Keeps states in a database, which is made if there is none, for this user alone.
    ///
    /// - Parameters:
    ///   - path: its file, in a folder on a disk of this host. SQLite puts two others beside it.
    ///   - busyTimeout: how long to wait for other processes that write.
    ///   - maximumSize: to how many bytes the database may grow; nil: as many as the disk has room for.
    public init(path: String, busyTimeout: Duration = .seconds(10), maximumSize: Int? = nil) {
        self.path = path
        self.busyTimeout = busyTimeout
        self.maximumSize = maximumSize
    }

    private func open() throws -> DatabaseQueue {
        try self.opened.withLock { opened in
            if let opened { return opened }
            // SQLite gives its other files the same rights. One that is there must not be opened beside SQLite: closing
            // it would give up the locks that another store of this process has.
            let descriptor = Glibc.open(self.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if descriptor >= 0 { close(descriptor) }
            let database = try DatabaseQueue(path: self.path, configuration: self.configuration)
            try database.write { try Self.prepare($0) }
            opened = database
            return database
        }
    }

    private var configuration: Configuration {
        .durable(lockingMode: "NORMAL", busyTimeout: self.busyTimeout, maximumSize: self.maximumSize)
    }

    private static func prepare(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS state (
                    type TEXT NOT NULL, key TEXT NOT NULL, claim INTEGER NOT NULL, data BLOB,
                    PRIMARY KEY (type, key)
                ) WITHOUT ROWID
                """)
    }

    /// Takes a state over.
    public func claim(_ key: StateKey) async throws -> StateClaim {
        let number = try await self.write { database in
            try Int64.fetchOne(
                database,
                sql: """
                    INSERT INTO state (type, key, claim) VALUES (?, ?, 1)
                    ON CONFLICT DO UPDATE SET claim = claim + 1 RETURNING claim
                    """, arguments: [key.type, key.key])
        }
        return StateClaim(key: key, number: UInt64(number ?? 0))
    }

    /// What is stored.
    public func load(_ claim: StateClaim) async throws -> Data? {
        try await self.write { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT data FROM state WHERE type = ? AND key = ? AND claim = ?",
                arguments: Self.arguments(claim))
            guard let row else { throw Self.takenOver }
            return row["data"]
        }
    }

    /// Stores bytes, in a transaction of their own.
    public func save(_ data: Data, _ claim: StateClaim) async throws {
        try await self.write { database in
            try database.execute(
                sql: "UPDATE state SET data = ? WHERE type = ? AND key = ? AND claim = ?",
                arguments: [data] + Self.arguments(claim))
            guard database.changesCount == 1 else { throw Self.takenOver }
        }
    }

    /// Removes a state. A row without one stays, so that an actor that still has it cannot save it again.
    public func remove(_ key: StateKey) async throws {
        try await self.write { database in
            try database.execute(
                sql: "UPDATE state SET data = NULL, claim = claim + 1 WHERE type = ? AND key = ?",
                arguments: [key.type, key.key])
        }
    }

    /// How the database writes: its journal mode, and the number of its `synchronous`, 2 for full.
    func settings() async throws -> [String] {
        try await self.write { database in
            try ["journal_mode", "synchronous"].compactMap { try String.fetchOne(database, sql: "PRAGMA \($0)") }
        }
    }

    private static func arguments(_ claim: StateClaim) -> StatementArguments {
        [claim.key.type, claim.key.key, Int64(clamping: claim.number)]
    }

    private func write<Result: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(StateStoreError) -> Result {
        do {
            return try await self.open().write(body)
        } catch {
            throw Self.explain(error, self.path)
        }
    }

    private static let takenOver = StateStoreError(.takenOver, "another actor has taken it over")

    private static func explain(_ error: any Error, _ path: String) -> StateStoreError {
        switch error {
        case let error as StateStoreError: error
        case let error as DatabaseError where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode):
            StateStoreError(.damaged, "the database \(path) is damaged: \(error)")
        default: StateStoreError(.failed, "the database \(path): \(error)")
        }
    }
}
