import FoundationEssentials
import MeshCluster
import MeshCore
import MeshRuntime
import Testing

@Suite struct LogSpoolTests {
    private func text(_ number: UInt64) -> String { String(repeating: "x", count: 200) + " \(number)" }

    private func fill(_ spool: inout LogSpool, _ numbers: ClosedRange<UInt64>) throws {
        for number in numbers { try spool.append(Batches.batch(0, [self.text(number)], first: number)) }
    }

    /// Everything that the spool would send after a number, asked for in pieces.
    private func all(_ spool: LogSpool, after number: UInt64 = 0) throws -> [LogRecord] {
        var records: [LogRecord] = []
        var last = number
        while true {
            let next = spool.batches(after: last, limit: 700)
            guard next.last > last else { return records }
            records += try next.batches.flatMap { try LogBatch(reading: $0).records() }
            last = next.last
        }
    }

    @Test("everything is sent once and in order, from where the collector is", arguments: [0, 1, 37, 99, 100])
    func inOrder(after: UInt64) throws {
        let folder = Folder()
        for var spool in [LogSpool(limit: 1 << 20), try LogSpool(directory: folder.path, limit: 1 << 20)] {
            try self.fill(&spool, 1...100)
            #expect(try self.all(spool, after: after).map(\.sequence) == Array(after..<100).map { $0 + 1 })
        }
    }

    @Test("another process goes on with the files, under the same name and with the next number")
    func again() throws {
        let folder = Folder()
        var first = try LogSpool(directory: folder.path, limit: 1 << 20)
        try self.fill(&first, 1...500)
        var last: [UniqueID: LogSpool.Last] = [:]
        var second = try LogSpool(directory: folder.path, limit: 1 << 20) { last[$0] = $1 }
        #expect(second.id == first.id && second.last == 500)
        #expect(last[Batches.source]?.sequence == 500 && last.count == 1)
        try self.fill(&second, 501...510)
        #expect(try self.all(second).map(\.sequence) == Array(1...510))
    }

    @Test("what has to make room becomes a gap that says how much it was", arguments: [false, true])
    func gap(inFiles: Bool) throws {
        let folder = Folder()
        var spool = inFiles ? try LogSpool(directory: folder.path, limit: 16 << 10) : LogSpool(limit: 16 << 10)
        try self.fill(&spool, 1...300)
        if inFiles { spool = try LogSpool(directory: folder.path, limit: 16 << 10) }
        #expect(spool.size <= 18 << 10)
        let records = try self.all(spool)
        let gap = try #require(records.first)
        #expect(gap.kind == .gap && gap.dropped == gap.sequence)
        #expect(records.count { $0.kind == .gap } == 1)
        #expect(records.dropFirst().map(\.sequence) == Array((gap.sequence + 1)...300))
    }

    @Test("what was collected is no gap when it makes room")
    func noGap() throws {
        var spool = LogSpool(limit: 16 << 10)
        for number in 1...300 as ClosedRange<UInt64> {
            try self.fill(&spool, number...number)
            spool.acknowledge(number)
        }
        #expect(spool.isCollected)
        #expect(try self.all(spool, after: 300).isEmpty)
        #expect(try self.all(spool).allSatisfy { $0.kind != .gap })
    }

    @Test("a gap that was collected is not sent again, and a new one counts from there")
    func nextGap() throws {
        var spool = LogSpool(limit: 16 << 10)
        try self.fill(&spool, 1...300)
        let before = try self.all(spool)
        spool.acknowledge(spool.last)
        try self.fill(&spool, 301...700)
        let after = try self.all(spool, after: 300)
        let covered = (before + after).reduce(0) { $0 + max(1, $1.dropped) }
        #expect(covered == 700)
        #expect(after.last?.sequence == 700)
    }
}
