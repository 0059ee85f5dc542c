import Foundation
import GRDB
import MeshRuntime
import Testing

@testable import MeshSQLite

@Suite(.timeLimit(.minutes(10)))
struct SQLiteStateStoreTests {
    private let key = StateKey(type: "Bank.Account", key: "savings")

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mesh-sqlite-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func save(_ text: String, _ store: SQLiteStateStore, _ claim: StateClaim) async throws {
        try await store.save(Data(text.utf8), claim)
    }

    private func load(_ store: SQLiteStateStore, _ claim: StateClaim) async throws -> String? {
        try await store.load(claim).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("what was saved is loaded by the next claim, in another process too, and nothing by the first")
    func saved() async throws {
        try await self.withFolder { folder in
            let store = SQLiteStateStore(path: "\(folder)/states.sqlite")
            let first = try await store.claim(self.key)
            #expect(try await self.load(store, first) == nil)
            try await self.save("99", store, first)
            try await self.save("33", store, first)
            #expect(try await self.load(store, first) == "33")
            let other = SQLiteStateStore(path: "\(folder)/states.sqlite")
            let next = try await other.claim(self.key)
            #expect(next.number > first.number)
            #expect(try await self.load(other, next) == "33")
            let another = try await other.claim(StateKey(type: "Bank.Account", key: "current"))
            #expect(try await self.load(other, another) == nil)
        }
    }

    @Test("a claim that another has taken over neither saves nor loads")
    func takenOver() async throws {
        try await self.withFolder { folder in
            let store = SQLiteStateStore(path: "\(folder)/states.sqlite")
            let old = try await store.claim(self.key)
            try await self.save("99", store, old)
            let new = try await store.claim(self.key)
            var error = await #expect(throws: StateStoreError.self) { try await self.save("1", store, old) }
            #expect(error?.code == .takenOver)
            error = await #expect(throws: StateStoreError.self) { try await store.load(old) }
            #expect(error?.code == .takenOver)
            #expect(try await self.load(store, new) == "99")
            try await store.remove(self.key)
            error = await #expect(throws: StateStoreError.self) { try await self.save("1", store, new) }
            #expect(error?.code == .takenOver)
            let next = try await store.claim(self.key)
            #expect(try await self.load(store, next) == nil)
        }
    }

    @Test("a database that is in the middle of another's write is waited for, and then an error")
    func busy() async throws {
        try await self.withFolder { folder in
            let path = "\(folder)/states.sqlite"
            let store = SQLiteStateStore(path: path, busyTimeout: .milliseconds(50))
            let claim = try await store.claim(self.key)
            try await self.save("99", store, claim)
            var configuration = Configuration()
            configuration.allowsUnsafeTransactions = true
            let other = try DatabaseQueue(path: path, configuration: configuration)
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            let error = await #expect(throws: StateStoreError.self) { try await self.save("1", store, claim) }
            #expect(error?.code == .failed)
            #expect(error?.message.contains("locked") == true, "\(String(describing: error))")
            try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            try await self.save("33", store, claim)
            #expect(try await self.load(store, claim) == "33")
        }
    }

    @Test("a full database is an error with its words, and the state before is there")
    func full() async throws {
        try await self.withFolder { folder in
            let path = "\(folder)/states.sqlite"
            let store = SQLiteStateStore(path: path, maximumSize: 64 << 10)
            let claim = try await store.claim(self.key)
            try await self.save("99", store, claim)
            let error = await #expect(throws: StateStoreError.self) {
                try await store.save(Data(count: 1 << 20), claim)
            }
            #expect(error?.code == .failed)
            #expect(error?.message.contains("full") == true, "\(String(describing: error))")
            #expect(try await self.load(store, claim) == "99")
            try await self.save("33", store, claim)
            #expect(try await self.load(store, claim) == "33")
        }
    }

    @Test("what was saved is on the disk: the write-ahead log is brought there with each transaction")
    func durable() async throws {
        try await self.withFolder { folder in
            let path = "\(folder)/states.sqlite"
            let store = SQLiteStateStore(path: path)
            #expect(try await store.settings() == ["wal", "2"])
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test("many who open, claim and save at the same time: the last one has what was acknowledged last")
    func contended() async throws {
        try await self.withFolder { folder in
            let path = "\(folder)/states.sqlite"
            let key = self.key
            let acknowledged = try await withThrowingTaskGroup(of: [String].self) { group in
                for owner in 0..<4 {
                    group.addTask { @concurrent in
                        var marks: [String] = []
                        for round in 0..<5 {
                            let store = SQLiteStateStore(path: path)
                            do {
                                let claim = try await store.claim(key)
                                for step in 0..<3 {
                                    let mark = "\(owner).\(round).\(step)"
                                    let data = try await store.load(claim)
                                    let before = data.map { String(decoding: $0, as: UTF8.self) } ?? ""
                                    try await store.save(Data("\(before) \(mark)".utf8), claim)
                                    marks.append(mark)
                                }
                            } catch let error as StateStoreError where error.code == .takenOver {}
                        }
                        return marks
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let store = SQLiteStateStore(path: path)
            let claim = try await store.claim(key)
            let stored = try #require(try await self.load(store, claim)).split(separator: " ")
            #expect(Set(acknowledged.map { Substring($0) }).subtracting(stored).isEmpty)
        }
    }

    @Test("what is no database is an error that names the file", arguments: ["garbage", "folder", "nowhere"])
    func unusable(what: String) async throws {
        try await self.withFolder { folder in
            var path = "\(folder)/states.sqlite"
            switch what {
            case "garbage": try Data(repeating: 7, count: 5000).write(to: URL(filePath: path))
            case "folder": try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            default: path = "\(folder)/no/such/folder/states.sqlite"
            }
            let store = SQLiteStateStore(path: path)
            let error = await #expect(throws: StateStoreError.self) { try await store.claim(self.key) }
            #expect(error?.code == (what == "garbage" ? .damaged : .failed))
            #expect(error?.message.contains(path) == true)
        }
    }
}
