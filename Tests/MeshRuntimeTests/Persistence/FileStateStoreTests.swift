import FoundationEssentials
import Glibc
import Testing

@testable import MeshRuntime

@Suite struct FileStateStoreTests {
    private let key = StateKey(type: "Bank.Account", key: "savings")

    /// Runs a test on a store in a folder of its own.
    private func withStore(_ body: (FileStateStore) throws -> Void) throws {
        var template = Array("/tmp/mesh-state-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(FileStateStore(directory: "\(path)/states"))
    }

    private func save(_ text: String, _ store: FileStateStore, _ claim: StateClaim) throws {
        try store.save(Data(text.utf8), claim)
    }

    private func load(_ store: FileStateStore, _ claim: StateClaim) throws -> String? {
        try store.load(claim).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("what was saved is loaded by the next claim, and nothing by the first")
    func saved() throws {
        try self.withStore { store in
            let first = try store.claim(self.key)
            #expect(try self.load(store, first) == nil)
            try self.save("99", store, first)
            try self.save("33", store, first)
            #expect(try self.load(store, first) == "33")
            for _ in 0..<3 {
                let next = try store.claim(self.key)
                #expect(try self.load(store, next) == "33")
            }
            let other = try store.claim(StateKey(type: "Bank.Account", key: "current"))
            #expect(try self.load(store, other) == nil)
        }
    }

    @Test("a claim that another has taken over neither saves nor loads")
    func takenOver() throws {
        try self.withStore { store in
            let old = try store.claim(self.key)
            try self.save("99", store, old)
            let new = try store.claim(self.key)
            for action in [{ try self.save("1", store, old) }, { _ = try self.load(store, old) }] {
                let error = #expect(throws: StateStoreError.self) { try action() }
                #expect(error?.code == .takenOver)
            }
            #expect(try self.load(store, new) == "99")
            try self.save("33", store, new)
            #expect(try self.load(store, new) == "33")
        }
    }

    @Test("an old owner that was frozen in the middle of a save hears that it has lost the state, wherever it was")
    func frozen() throws {
        try self.withStore { store in
            let old = try store.claim(self.key)
            try self.save("99", store, old)
            let folder = store.folder(of: self.key)
            // It had checked that it was the owner, and wakes when another is.
            let new = try store.claim(self.key)
            try? folder.replace(old.number, with: StateFile(key: self.key, state: Data("1".utf8)).bytes)
            #expect(throws: StateStoreError.self) { try folder.checkOwner(old.number) }
            #expect(try self.load(store, new) == "99")
            try self.save("33", store, new)
            // What it left behind is of no account.
            let next = try store.claim(self.key)
            #expect(try self.load(store, next) == "33")
            #expect(try folder.claims() == [next.number])
        }
    }

    @Test("a process that is killed at any byte of a save leaves the state before it")
    func killedWhileWriting() throws {
        try self.withStore { store in
            var claim = try store.claim(self.key)
            try self.save("99", store, claim)
            let bytes = StateFile(key: self.key, state: Data("33".utf8)).bytes
            for count in 0...bytes.count {
                let folder = store.folder(of: self.key)
                let temporary = folder.temporary(claim.number)
                try #require(FileManager.default.createFile(atPath: temporary, contents: bytes.prefix(count)))
                claim = try store.claim(self.key)
                #expect(try self.load(store, claim) == "99")
                #expect(!FileManager.default.fileExists(atPath: temporary))
            }
            // What stays of the next life's own unfinished file is written over.
            let temporary = store.folder(of: self.key).temporary(claim.number)
            try #require(FileManager.default.createFile(atPath: temporary, contents: bytes + bytes))
            try self.save("33", store, claim)
            #expect(try self.load(store, claim) == "33")
        }
    }

    @Test("a process that is killed while it takes a state over keeps nobody from it")
    func killedWhileClaiming() throws {
        try self.withStore { store in
            let first = try store.claim(self.key)
            try self.save("99", store, first)
            let folder = store.folder(of: self.key)
            // After the announcement.
            let number = try folder.addClaim()
            let next = try store.claim(self.key)
            #expect(next.number == number + 1)
            #expect(try self.load(store, next) == "99")
            // After the link, before it is in place.
            let another = try folder.addClaim()
            try #require(link(folder.file(next.number), folder.temporary(another)) == 0)
            let last = try store.claim(self.key)
            #expect(try self.load(store, last) == "99")
            #expect(try folder.claims() == [last.number])
        }
    }

    @Test("a damaged file is never used, and the error names it", arguments: ["truncated", "flipped", "another"])
    func damaged(how: String) throws {
        try self.withStore { store in
            let claim = try store.claim(self.key)
            try self.save("ninety-nine", store, claim)
            let path = store.folder(of: self.key).file(claim.number)
            var bytes = try Data(contentsOf: URL(filePath: path))
            switch how {
            case "truncated": bytes.removeLast(3)
            case "flipped": bytes[bytes.count - 1] ^= 1
            default: bytes = StateFile(key: StateKey(type: "T", key: "k"), state: Data("ninety-nine".utf8)).bytes
            }
            try bytes.write(to: URL(filePath: path))
            let error = #expect(throws: StateStoreError.self) { try store.load(claim) }
            #expect(error?.code == .damaged)
            #expect(error?.message.contains(path) == true)
        }
    }

    @Test("what the system refuses is an error with its words, and the state before is there")
    func unwritable() throws {
        try self.withStore { store in
            let claim = try store.claim(self.key)
            try self.save("99", store, claim)
            // A folder in the place of the file that is written stands for everything that may be in the way.
            let temporary = store.folder(of: self.key).temporary(claim.number)
            try #require(mkdir(temporary, 0o700) == 0)
            let error = #expect(throws: StateStoreError.self) { try self.save("33", store, claim) }
            #expect(error?.code == .failed)
            #expect(error?.message.contains("Is a directory") == true)
            #expect(try self.load(store, claim) == "99")
            rmdir(temporary)
            try self.save("33", store, claim)
            #expect(try self.load(store, claim) == "33")
        }
    }

    @Test("a full disk is an error, and the state before is there")
    func full() throws {
        try self.withStore { store in
            let claim = try store.claim(self.key)
            try self.save("99", store, claim)
            // Whatever is written to this device finds no room.
            let temporary = store.folder(of: self.key).temporary(claim.number)
            try #require(symlink("/dev/full", temporary) == 0)
            let error = #expect(throws: StateStoreError.self) { try self.save("33", store, claim) }
            #expect(error?.code == .failed)
            #expect(error?.message.contains("No space left") == true)
            #expect(try self.load(store, claim) == "99")
        }
    }

    @Test("files and folders are for their user alone")
    func modes() throws {
        try self.withStore { store in
            let claim = try store.claim(self.key)
            try self.save("99", store, claim)
            let folder = store.folder(of: self.key)
            var status = stat()
            try #require(stat(folder.file(claim.number), &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            try #require(stat(folder.path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o700)
        }
    }

    @Test("a state that was removed is gone, also for an actor that still has it")
    func removed() throws {
        try self.withStore { store in
            try store.remove(self.key)
            let claim = try store.claim(self.key)
            try self.save("99", store, claim)
            try store.remove(self.key)
            let error = #expect(throws: StateStoreError.self) { try self.save("33", store, claim) }
            #expect(error?.code == .takenOver)
            let next = try store.claim(self.key)
            #expect(try self.load(store, next) == nil)
        }
    }

    @Test("every key has a folder of its own, whatever is in it")
    func names() throws {
        let keys = ["a/b", "a%2fb", "..", ".", "", "a b", "A", "ü", String(repeating: "x", count: 300), "a\0b"]
        let names = keys.map { FileStateStore.safe($0) }
        #expect(Set(names).count == keys.count)
        #expect(names.allSatisfy { $0.utf8.count <= 255 && !$0.contains("/") && $0 != ".." && $0 != "." })
    }

    @Test("many who claim and save at the same time: the last one has what was acknowledged last")
    func contended() async throws {
        var template = Array("/tmp/mesh-state-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = FileStateStore(directory: path)
        let key = self.key
        // Each adds its own mark as often as it may; every mark that was acknowledged must be there in the end.
        let acknowledged = try await withThrowingTaskGroup(of: [String].self) { group in
            for owner in 0..<4 {
                group.addTask { @concurrent in
                    var marks: [String] = []
                    for round in 0..<15 {
                        do {
                            let claim = try store.claim(key)
                            for step in 0..<3 {
                                let mark = "\(owner).\(round).\(step)"
                                let before = try store.load(claim).map { String(decoding: $0, as: UTF8.self) } ?? ""
                                try store.save(Data("\(before) \(mark)".utf8), claim)
                                marks.append(mark)
                            }
                        } catch let error as StateStoreError where error.code == .takenOver {}
                    }
                    return marks
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let claim = try store.claim(key)
        let stored = String(decoding: try #require(try store.load(claim)), as: UTF8.self).split(separator: " ")
        #expect(Set(acknowledged.map { Substring($0) }).subtracting(stored).isEmpty)
        #expect(!acknowledged.isEmpty)
    }
}
