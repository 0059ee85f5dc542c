import Foundation
import GRDB
import Glibc
import MeshCore
public import MeshRuntime
import Synchronization

/// Keeps what a broker knows in an SQLite database, so that the broker forgets nothing when it is killed.
///
/// ```swift
/// MeshConfiguration(registryStore: SQLiteRegistryStore(path: "/var/lib/mesh/registry.sqlite"))
/// ```
///
/// A write is a transaction, on the disk when it returns (write-ahead log, `synchronous` full). One broker has the
/// database at a time: SQLite locks it for as long as the process lives, however that ends. Nobody else can read it
/// meanwhile.
public final class SQLiteRegistryStore: RegistryStore {
    /// The file of the database.
    public let path: String
    private let busyTimeout: Duration
    private let maximumSize: Int?
    private let opened = Mutex<DatabaseQueue?>(nil)

    /// The layout of the tables. Another number is another layout.
    static let version = 1

    /// Keeps a registry in a database, which is made if there is none, for this user alone.
    ///
    /// - Parameters:
    ///   - path: its file, in a folder on a disk of this host. SQLite puts another beside it.
    ///   - busyTimeout: how long to wait for the end of another broker that has it.
    ///   - maximumSize: to how many bytes the database may grow; nil: as many as the disk has room for.
    public init(path: String, busyTimeout: Duration = .seconds(2), maximumSize: Int? = nil) {
        self.path = path
        self.busyTimeout = busyTimeout
        self.maximumSize = maximumSize
    }

    /// Takes the database, and reads what is in it.
    public func open() async throws -> StoredRegistry {
        // SQLite takes these for databases that are nowhere.
        guard !self.path.isEmpty, !self.path.hasPrefix(":"), !self.path.hasPrefix("file:") else {
            throw MeshError(
                .invalidArgument, "The registry store \"\(self.path)\" is no file. Give the path of a file on a disk.")
        }
        do {
            let queue = try self.database()
            return try await queue.write { database in
                try Self.prepare(database)
                return try Self.load(database)
            }
        } catch {
            throw self.explain(error)
        }
    }

    /// Writes changes in a transaction.
    public func write(_ changes: RegistryChanges) async throws {
        guard let queue = self.opened.withLock({ $0 }) else {
            throw MeshError(.systemFailure, "The registry store \(self.path) has not been opened.")
        }
        do {
            try await queue.write { try Self.apply(changes, $0) }
        } catch {
            throw self.explain(error)
        }
    }

    // MARK: The database

    private func database() throws -> DatabaseQueue {
        try self.opened.withLock { opened in
            if let opened { return opened }
            // SQLite gives its other file the same rights. One that is there must not be opened beside SQLite: closing
            // it would give up the locks of this process.
            let descriptor = Glibc.open(self.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if descriptor >= 0 { close(descriptor) }
            let database = try DatabaseQueue(path: self.path, configuration: self.configuration)
            opened = database
            return database
        }
    }

    private var configuration: Configuration {
        .durable(lockingMode: "EXCLUSIVE", busyTimeout: self.busyTimeout, maximumSize: self.maximumSize)
    }

    private static func prepare(_ database: Database) throws {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let isEmpty = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0
        if version == 0, isEmpty { return try self.makeTables(database) }
        guard version == self.version else { throw Unreadable.version(version) }
        let flaws = try String.fetchAll(database, sql: "PRAGMA quick_check(1)")
        guard flaws == ["ok"] else { throw Unreadable.damaged(flaws.first ?? "") }
    }

    private static func makeTables(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE actor (id TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
                CREATE TABLE termination (number INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL);
                PRAGMA user_version = \(self.version);
                """)
    }

    private static func load(_ database: Database) throws -> StoredRegistry {
        var stored = StoredRegistry()
        let rows = try Row.fetchCursor(database, sql: "SELECT id, data FROM actor")
        while let row = try rows.next() {
            guard let id = UniqueID(row["id"] as String) else { throw Unreadable.damaged("an actor has no number") }
            stored.actors[id] = row["data"] as Data
        }
        stored.terminations = try Data.fetchAll(database, sql: "SELECT data FROM termination ORDER BY number")
        return stored
    }

    private static func apply(_ changes: RegistryChanges, _ database: Database) throws {
        let put = try database.cachedStatement(sql: "INSERT OR REPLACE INTO actor (id, data) VALUES (?, ?)")
        for (id, data) in changes.actors { try put.execute(arguments: [id.description, data]) }
        let remove = try database.cachedStatement(sql: "DELETE FROM actor WHERE id = ?")
        for id in changes.removed { try remove.execute(arguments: [id.description]) }
        guard !changes.terminations.isEmpty else { return }
        let end = try database.cachedStatement(sql: "INSERT INTO termination (data) VALUES (?)")
        for data in changes.terminations { try end.execute(arguments: [data]) }
        try database.execute(
            sql: "DELETE FROM termination WHERE number <= ?",
            arguments: [database.lastInsertedRowID - Int64(changes.keptTerminations)])
    }

    // MARK: What is the matter

    private enum Unreadable: Error {
        case version(Int)
        case damaged(String)
    }

    private func explain(_ error: any Error) -> MeshError {
        let what: String =
            switch error {
            case Unreadable.version(let version):
                "is no registry that this version can read: its layout is \(version), this one's \(Self.version). "
                    + "Start the broker with the version that wrote it, or with another file."
            case Unreadable.damaged(let flaw):
                "is damaged: \(flaw). Put a copy in its place, or start the broker with another file."
            case let error as DatabaseError where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode):
                "is damaged or no database: \(error.message ?? "\(error)"). Put a copy in its place, or start the broker "
                    + "with another file."
            case let error as DatabaseError where [.SQLITE_BUSY, .SQLITE_LOCKED].contains(error.resultCode):
                "is in use by another broker, or by somebody who looks into it. One at a time can have it."
            case let error as DatabaseError: "cannot be used: \(error.message ?? "\(error)")."
            default: "cannot be used: \(error)."
            }
        return MeshError(.systemFailure, "The registry store \(self.path) \(what)")
    }
}
