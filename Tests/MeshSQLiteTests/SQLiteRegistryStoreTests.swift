import Foundation
import GRDB
import MeshCore
import MeshRuntime
import Testing

@testable import MeshSQLite

/// B2: what a broker wrote down is there.
@Suite(.timeLimit(.minutes(10)))
struct SQLiteRegistryStoreTests {
    private let one = UniqueID(high: 7, low: 1)
    private let two = UniqueID(high: 7, low: 2)

    private func withFile(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mesh-registry-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body("\(folder)/registry.sqlite")
    }

    private func changes(
        _ actors: [UniqueID: String] = [:], removed: [UniqueID] = [], terminations: [String] = [], kept: Int = 10
    ) -> RegistryChanges {
        var changes = RegistryChanges(keptTerminations: kept)
        changes.actors = actors.mapValues { Data($0.utf8) }
        changes.removed = removed
        changes.terminations = terminations.map { Data($0.utf8) }
        return changes
    }

    private func failure(_ body: () async throws -> Void) async throws -> String {
        do {
            try await body()
        } catch let error as MeshError {
            #expect(error.code == .systemFailure)
            return error.message
        }
        return "no failure"
    }

    @Test("what was written is there: the last of each actor, and the last of the terminations in their order")
    func written() async throws {
        try await self.withFile { path in
            do {
                let store = SQLiteRegistryStore(path: path)
                #expect(try await store.open().actors.isEmpty)
                try await store.write(self.changes([self.one: "a", self.two: "b"]))
                try await store.write(
                    self.changes([self.one: "c"], removed: [self.two], terminations: ["1", "2"], kept: 3))
                try await store.write(self.changes(removed: [self.two], terminations: ["3", "4"], kept: 3))
            }
            let stored = try await SQLiteRegistryStore(path: path).open()
            #expect(stored.actors == [self.one: Data("c".utf8)])
            #expect(stored.terminations == ["2", "3", "4"].map { Data($0.utf8) })
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test("a second broker is refused, by the name of the file, until the first has ended")
    func locked() async throws {
        try await self.withFile { path in
            var first: SQLiteRegistryStore? = SQLiteRegistryStore(path: path)
            _ = try await first?.open()
            let second = SQLiteRegistryStore(path: path, busyTimeout: .milliseconds(10))
            let message = try await self.failure { _ = try await second.open() }
            #expect(message.contains(path) && message.contains("in use by another broker"), "\(message)")
            try await first?.write(self.changes([self.one: "a"]))
            first = nil
            #expect(try await SQLiteRegistryStore(path: path).open().actors.count == 1)
        }
    }

    @Test("a full database takes nothing of a write, says so, and goes on when there is room")
    func full() async throws {
        try await self.withFile { path in
            let store = SQLiteRegistryStore(path: path, maximumSize: 64 << 10)
            _ = try await store.open()
            try await store.write(self.changes([self.one: "a"]))
            let large = String(repeating: "x", count: 1 << 20)
            let message = try await self.failure {
                try await store.write(self.changes([self.two: large], removed: [self.one]))
            }
            #expect(message.contains(path) && message.contains("full"), "\(message)")
            try await store.write(self.changes([self.two: "b"]))
        }
    }

    @Test("a file of another version, of another program, or damaged is an error that names it")
    func unreadable() async throws {
        try await self.withFile { path in
            for (statement, words) in [
                ("PRAGMA user_version = 99", "its layout is 99"), ("CREATE TABLE other (a)", "its layout is 0"),
            ] {
                try? FileManager.default.removeItem(atPath: path)
                do {
                    let database = try DatabaseQueue(path: path)
                    try await database.writeWithoutTransaction { try $0.execute(sql: statement) }
                    try database.close()
                }
                let message = try await self.failure { _ = try await SQLiteRegistryStore(path: path).open() }
                #expect(message.contains(path) && message.contains(words), "\(message)")
            }
            try FileManager.default.removeItem(atPath: path)
            try Data(repeating: 0x5a, count: 10_000).write(to: URL(fileURLWithPath: path))
            let message = try await self.failure { _ = try await SQLiteRegistryStore(path: path).open() }
            #expect(message.contains(path) && message.contains("damaged"), "\(message)")
        }
    }

    @Test("a log that was torn by a power cut loses the last write as a whole, and a torn database is an error")
    func torn() async throws {
        try await self.withFile { path in
            let store = SQLiteRegistryStore(path: path)
            _ = try await store.open()
            for number in 0..<200 {
                let id = UniqueID(high: 9, low: UInt64(number))
                try await store.write(self.changes([id: String(repeating: "x", count: 1000)]))
            }
            // As the files would be found if the machine had stopped now, and the end of one had not reached the disk.
            let copy = path + ".copy"
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            let log = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
            try log.dropLast(100).write(to: URL(fileURLWithPath: copy + "-wal"))
            let found = try await SQLiteRegistryStore(path: copy).open().actors
            #expect(found.count == 199)
            #expect(found.values.allSatisfy { $0.count == 1000 })

            let torn = path + ".torn"
            let database = try Data(contentsOf: URL(fileURLWithPath: copy))
            try (database.prefix(20_000) + Data(repeating: 0x5a, count: max(0, database.count - 20_000)))
                .write(to: URL(fileURLWithPath: torn))
            let message = try await self.failure { _ = try await SQLiteRegistryStore(path: torn).open() }
            #expect(message.contains(torn) && message.contains("damaged"), "\(message)")
        }
    }
}
