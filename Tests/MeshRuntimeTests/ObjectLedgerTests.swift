import MeshCore
import MeshTransportInProcess
import Testing

@testable import MeshRuntime

@Suite("What a store has in memory and on disk")
struct ObjectLedgerTests {
    private let owner = PeerID(7)

    @Test("what was not asked for the longest goes to disk first; a copy is dropped, since it can be fetched again")
    func order() {
        var ledger = ObjectLedger(budget: 100)
        for number in 1...3 as ClosedRange<UInt64> {
            #expect(ledger.reserve(30)?.isEmpty == true)
            _ = ledger.add(
                number, size: 30, owner: self.owner, origin: number == 3 ? .init(store: PeerID(9), number: 3) : nil)
        }
        ledger.touch(1)
        #expect(ledger.reserve(40) == [.spill(2)])
        ledger.left(2, isOnDisk: true)
        _ = ledger.add(4, size: 40, owner: self.owner)
        #expect(ledger.used == 100 && ledger.onDisk == 30)
        #expect(ledger.reserve(30) == [.drop(3)])
        ledger.cancel(30)
        #expect(ledger.reserve(101) == nil)
        for number in 1...4 as ClosedRange<UInt64> { ledger.remove(number) }
        #expect(ledger.used == 0 && ledger.onDisk == 0)
    }

    @Test("memory and disk are what the entries take, whatever happens")
    func schedules() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var ledger = ObjectLedger(budget: 1000)
            var leaving: [UInt64] = []
            var next: UInt64 = 1
            for _ in 0..<300 {
                switch UInt64.random(in: 0..<6, using: &random) {
                case 0...2:
                    let size = Int.random(in: 1...1200, using: &random)
                    let steps = ledger.reserve(size)
                    for case .spill(let number) in steps ?? [] { leaving.append(number) }
                    _ = ledger.add(next, size: size, owner: self.owner, isOnDisk: steps == nil)
                    next += 1
                case 3:
                    if let number = leaving.popLast() {
                        ledger.left(number, isOnDisk: UInt64.random(in: 0..<4, using: &random) > 0)
                    }
                case 4: if let number = ledger.entries.keys.randomElement(using: &random) { ledger.remove(number) }
                default: if let number = ledger.entries.keys.randomElement(using: &random) { ledger.touch(number) }
                }
                let entries = ledger.entries.values
                #expect(
                    ledger.used == entries.filter { $0.place == .memory }.reduce(0) { $0 + $1.size }, "seed \(seed)")
                #expect(
                    ledger.onDisk == entries.filter { $0.place == .disk }.reduce(0) { $0 + $1.size }, "seed \(seed)")
            }
        }
    }
}

@Suite("How a value lies in shared memory")
struct SegmentLayoutTests {
    @Test("what was written is read, and large parts are aligned")
    func roundTrip() throws {
        let layout = SegmentLayout(head: 33, parts: [100, 0, 7])
        #expect(layout.parts.allSatisfy { $0.lowerBound % 64 == 0 })
        var bytes = [UInt8](layout.header(number: 5, maker: 6))
        bytes += [UInt8](repeating: 0, count: layout.size - bytes.count)
        bytes.withUnsafeBytes { #expect(SegmentLayout(reading: $0, number: 5, maker: 6) == layout) }
    }

    @Test("another segment, a damaged header and bytes of any kind are no segment")
    func refused() {
        let layout = SegmentLayout(head: 33, parts: [100])
        var bytes = [UInt8](layout.header(number: 5, maker: 6))
        bytes += [UInt8](repeating: 0, count: layout.size - bytes.count)
        bytes.withUnsafeBytes { all in
            #expect(SegmentLayout(reading: all, number: 4, maker: 6) == nil)
            #expect(SegmentLayout(reading: all, number: 5, maker: 7) == nil)
            for count in 0..<all.count {
                #expect(
                    SegmentLayout(reading: UnsafeRawBufferPointer(rebasing: all[..<count]), number: 5, maker: 6) == nil)
            }
        }
        // Whatever a header says, nothing outside of the segment is referred to.
        var random = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            var damaged = bytes
            for _ in 0..<3 {
                damaged[Int.random(in: 24..<64, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            damaged.withUnsafeBytes { all in
                guard let read = SegmentLayout(reading: all, number: 5, maker: 6) else { return }
                #expect(read.head.upperBound <= all.count)
                #expect(read.parts.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= all.count })
            }
        }
    }
}
