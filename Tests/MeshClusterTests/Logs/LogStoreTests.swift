import FoundationEssentials
import Logging
import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite struct LogStoreTests {
    private let spool = UniqueID(high: 1, low: 2)
    private let limits = LogStore.Limits(size: 8 << 20, age: .max)

    private func all(_ store: LogStore, _ query: LogQuery = LogQuery(), from place: UInt64 = 0) throws -> [LogRecord] {
        var records: [LogRecord] = []
        var place = place
        while true {
            let found = try store.read(query, from: place)
            records += try found.batches.flatMap { try LogBatch(reading: $0).records() }
            place = found.place
            if place >= store.next { return records }
        }
    }

    private func fill(_ store: inout LogStore, _ numbers: ClosedRange<UInt64>) throws {
        for number in numbers {
            let actor = Batches.actor(number % 10, name: number % 10 == 3 ? "third" : nil)
            let batch = Batches.batch(
                number, ["line \(number)"], first: number, node: number % 2 == 0 ? "even" : "odd",
                time: number * 1_000_000_000, level: number % 50 == 0 ? .error : .info, actor: actor)
            try store.append(batch.bytes, from: self.spool)
        }
    }

    @Test("a batch that comes twice is kept once, also after the store was opened again")
    func once() throws {
        let folder = Folder()
        var store = try LogStore(directory: folder.path, limits: self.limits)
        try self.fill(&store, 1...30)
        try self.fill(&store, 20...40)
        #expect(try self.all(store).map(\.sequence) == Array(1...40))
        var again = try LogStore(directory: folder.path, limits: self.limits)
        #expect(again.id == store.id && again.last(of: self.spool) == 40 && again.next == store.next)
        try self.fill(&again, 1...45)
        #expect(try self.all(again).map(\.sequence) == Array(1...45))
    }

    @Test("how many records came before what is left is known to one, also after it was opened again")
    func removed() throws {
        let folder = Folder()
        let limits = LogStore.Limits(size: 200 << 10, age: .max)
        var store = try LogStore(directory: folder.path, limits: limits)
        var halfway = try store.read(LogQuery(), from: 0)
        for number in UInt64(1)...3000 {
            let texts = (0..<Int(number % 3) + 1).map { "line \(number) \($0) \(String(repeating: "x", count: 100))" }
            try store.append(Batches.batch(number, texts).bytes, from: self.spool)
            if number == 100 { halfway = try store.read(LogQuery(text: "nothing like it"), from: 0) }
        }
        #expect(halfway.place == 101 && halfway.records == (1...100).reduce(0) { $0 + $1 % 3 + 1 })
        #expect(store.recordsSoFar == (1...3000).reduce(0) { $0 + $1 % 3 + 1 })
        for store in [store, try LogStore(directory: folder.path, limits: limits)] {
            #expect(store.first > 101)
            #expect(store.removed == (1..<store.first).reduce(0) { $0 + $1 % 3 + 1 })
            #expect(UInt64(try self.all(store).count) + store.removed == store.recordsSoFar)
        }
    }

    @Test("a query finds the same with its index as by looking at everything", arguments: [false, true])
    func queries(inFiles: Bool) throws {
        let folder = Folder()
        var store =
            inFiles
            ? try LogStore(directory: folder.path, limits: LogStore.Limits(size: 8 << 20, age: .max))
            : LogStore(limits: self.limits)
        try self.fill(&store, 1...4000)
        if inFiles { store = try LogStore(directory: folder.path, limits: self.limits) }
        let everything = try self.all(store)
        #expect(everything.count == 4000)
        let queries = [
            LogQuery(actor: "third"), LogQuery(actor: "Train*"), LogQuery(node: "even"), LogQuery(level: .warning),
            LogQuery(text: "99"), LogQuery(actor: "nobody"), LogQuery(incarnation: 2),
            LogQuery(since: Date(timeIntervalSince1970: 3000), until: Date(timeIntervalSince1970: 3100)),
            LogQuery(actor: String(Batches.actor(7).id.description.prefix(8)), level: .info),
        ]
        for query in queries { #expect(try self.all(store, query) == everything.filter(query.matches)) }
    }

    @Test("the newest come first when somebody asks back", arguments: [1, 10, 399, 400, 10_000])
    func back(count: Int) throws {
        var store = LogStore(limits: self.limits)
        try self.fill(&store, 1...4000)
        var records: [LogRecord] = []
        var place = store.next
        repeat {
            let found = try store.readBack(LogQuery(actor: "third"), before: place, atLeast: count - records.count)
            records = try found.batches.flatMap { try LogBatch(reading: $0).records() } + records
            place = found.place
        } while records.count < count && place > store.first
        let expected = try self.all(store, LogQuery(actor: "third")).suffix(count)
        #expect(records.suffix(count).map(\.sequence) == expected.map(\.sequence))
    }

    @Test("the oldest make room, and what is left keeps its place")
    func room() throws {
        let folder = Folder()
        var store = try LogStore(directory: folder.path, limits: LogStore.Limits(size: 512 << 10, age: .max))
        for number in 1...2000 as ClosedRange<UInt64> {
            let batch = Batches.batch(number, [String(repeating: "y", count: 1000)], first: number)
            try store.append(batch.bytes, from: self.spool)
        }
        #expect(store.size < 640 << 10 && store.next == 2001 && store.first > 1)
        let sequences = try self.all(store).map(\.sequence)
        #expect(sequences == Array(store.first...2000))
        // Also when the store is opened again nothing of what had to go is taken anew.
        var again = try LogStore(directory: folder.path, limits: LogStore.Limits(size: 512 << 10, age: .max))
        try again.append(Batches.batch(1, ["again"]).bytes, from: self.spool)
        #expect(try self.all(again).map(\.sequence) == sequences)
    }

    @Test("what is too old goes")
    func age() throws {
        var store = LogStore(limits: LogStore.Limits(size: 1 << 20, age: 1_000_000_000))
        for number in 1...2000 as ClosedRange<UInt64> {
            let batch = Batches.batch(number, [String(repeating: "y", count: 400)], first: number, time: number)
            try store.append(batch.bytes, from: self.spool)
        }
        store.removeOld(at: 5_000_000_000)
        #expect(store.first > 1 && store.next == 2001)
    }

    @Test("bytes that are no batch are refused, and change nothing", arguments: 0..<300)
    func garbage(seed: UInt64) throws {
        var random = SeededBytes(seed)
        var store = LogStore(limits: self.limits)
        try self.fill(&store, 1...3)
        var bytes = Batches.batch(4, ["a", "b"], first: 4, actor: Batches.actor(1)).bytes
        if seed % 3 == 0 {
            bytes = random.bytes(Int(random.next() % 300))
        } else {
            for _ in 0...(seed % 4) { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() & 0xff) }
            if seed % 5 == 0 { bytes = bytes.prefix(Int(random.next() % UInt64(bytes.count))) }
        }
        let before = (store.next, store.size)
        do {
            try store.append(bytes, from: self.spool)
        } catch {
            #expect(store.next == before.0 && store.size == before.1)
        }
        #expect(try self.all(store).count >= 3)
    }

    @Test("files that a disk has damaged do not keep the rest from being read", arguments: 0..<60)
    func damage(seed: UInt64) throws {
        var random = SeededBytes(seed)
        let folder = Folder()
        let limits = LogStore.Limits(size: 1 << 20, age: .max)
        do {
            var store = try LogStore(directory: folder.path, limits: limits)
            for number in 1...600 as ClosedRange<UInt64> {
                let batch = Batches.batch(number, [String(repeating: "z", count: 900)], first: number)
                try store.append(batch.bytes, from: self.spool)
            }
        }
        let files = try folder.files(seed % 2 == 0 ? ".logs" : ".index")
        let path = files[Int(random.next() % UInt64(files.count))]
        var bytes = try #require(FileManager.default.contents(atPath: path))
        for _ in 0..<4 { bytes[Int(random.next() % UInt64(bytes.count))] ^= 0x55 }
        try bytes.write(to: URL(filePath: path))
        let store = try LogStore(directory: folder.path, limits: limits)
        let sequences = try self.all(store).map(\.sequence)
        #expect(sequences == sequences.sorted() && Set(sequences).count == sequences.count)
        #expect(sequences.count > 300)
        if seed % 2 == 1 { #expect(sequences.count == 600) }
    }

    @Test("what a spool had to drop is found as a gap with its count, whatever is asked for")
    func gap() throws {
        var spool = LogSpool(limit: 16 << 10)
        let actor = Batches.actor(1)
        for number in 1...300 as ClosedRange<UInt64> {
            let text = String(repeating: "x", count: 200)
            try spool.append(Batches.batch(0, [text], first: number, actor: actor))
        }
        var store = LogStore(limits: self.limits)
        let sent = spool.batches(after: 0, limit: .max)
        for batch in sent.batches { try store.append(batch, from: self.spool) }
        let gaps = try self.all(store, LogQuery(level: .error))
        let kept = try self.all(store).filter { $0.kind != .gap }
        #expect(gaps.map(\.kind) == [.gap])
        #expect(gaps.first?.dropped == UInt64(300 - kept.count) && kept.count < 300)
        #expect(kept.map(\.sequence) == Array((gaps[0].sequence + 1)...300))
    }

    @Test("records are found by the driver for which they were said")
    func drivers() throws {
        var store = LogStore(limits: self.limits)
        for number in 1...40 as ClosedRange<UInt64> {
            var run = LogRun()
            let driver = number % 4 == 0 ? nil : PeerID(number % 4)
            run.add(LogContent(kind: .output, level: .info, time: number, text: "\(number)", driver: driver))
            let batch = LogBatch(
                number: number, source: Batches.source, node: "alpha", processID: 1, firstSequence: number, count: 1,
                contents: run.contents)
            try store.append(batch.bytes, from: self.spool)
        }
        let found = try self.all(store, LogQuery(driver: PeerID(3)))
        #expect(found.map(\.sequence) == [3, 7, 11, 15, 19, 23, 27, 31, 35, 39])
        #expect(found.allSatisfy { $0.driver == PeerID(3) })
    }

    @Test("a store knows how much it has, also opened again, and how much never came", arguments: [false, true])
    func usage(inFiles: Bool) throws {
        let folder = Folder()
        func open() throws -> LogStore {
            inFiles ? try LogStore(directory: folder.path, limits: self.limits) : LogStore(limits: self.limits)
        }
        var store = try open()
        #expect(store.usage == LogUsage(records: 0, bytes: UInt64(store.size), dropped: 0))
        for number in 1...3 as ClosedRange<UInt64> {
            try store.append(Batches.batch(number, ["a", "b"], first: number * 2).bytes, from: self.spool)
        }
        let before = Batches.batch(4, [], first: 50)
        let gap = LogBatch.gap(of: 38_575, in: before, number: 4).bytes
        // What comes twice counts once.
        for _ in 0..<2 { try store.append(gap, from: self.spool) }
        #expect(store.usage == LogUsage(records: 7, bytes: UInt64(store.size), dropped: 38_575))
        guard inFiles else { return }
        #expect(try open().usage == LogUsage(records: 7, bytes: UInt64(store.size), dropped: 0))
    }

    @Test("what had to go is not counted as kept")
    func usageShrinks() throws {
        var store = LogStore(limits: LogStore.Limits(size: 256 << 10, age: .max))
        for number in 1...400 as ClosedRange<UInt64> {
            let text = String(repeating: "x", count: 4000)
            try store.append(Batches.batch(number, [text], first: number).bytes, from: self.spool)
        }
        let usage = store.usage
        #expect(usage.records == UInt64(try self.all(store).count) && usage.records < 100)
        #expect(usage.bytes == UInt64(store.size))
    }

    @Test("an observer's key is good for reading, and for nothing that writes")
    func roles() {
        for method in ["read", "readBack", "end", "usage"] { #expect(LogCollector.permits(method, to: .observer)) }
        for method in ["begin", "take"] {
            #expect(!LogCollector.permits(method, to: .observer))
            #expect(LogCollector.permits(method, to: .driver))
        }
    }
}
