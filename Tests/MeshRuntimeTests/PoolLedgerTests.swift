import MeshRuntime
import MeshTransportInProcess
import Testing

@Suite("Who has which member of a pool (FIELD 2.7)")
struct PoolLedgerTests {
    typealias Ledger = PoolLedger<Int, String>

    private func ledger(_ members: ClosedRange<Int>) -> Ledger {
        var ledger = Ledger()
        for member in members {
            let isNew = ledger.add(member)
            #expect(isNew)
        }
        return ledger
    }

    @Test("the member that was the last to become free is taken first, and who waits first is served first")
    func order() {
        var ledger = self.ledger(1...3)
        for number in 0..<5 as Range<UInt64> { ledger.ask(.init("a", number)) }
        var given: [Int] = []
        while let next = ledger.next() { given.append(next.member) }
        #expect(given == [3, 2, 1])
        #expect(!ledger.hasFree)
        ledger.done(2, by: .init("a", 1), isDead: false)
        let next = ledger.next()
        #expect(next?.ticket == .init("a", 3) && next?.member == 2)
    }

    @Test("a member that died is none any more, and what it did is over once")
    func deaths() {
        var ledger = self.ledger(1...2)
        ledger.ask(.init("a", 0))
        let first = ledger.next()
        #expect(first?.member == 2)
        let was1 = ledger.done(2, by: .init("a", 0), isDead: true)
        #expect(was1)
        let was2 = ledger.done(2, by: .init("a", 0), isDead: true)
        #expect(!was2)
        #expect(ledger.count == 1)
    }

    @Test("a busy member that is removed leaves when it is done, unless it is added again")
    func leaving() {
        var ledger = self.ledger(1...1)
        ledger.ask(.init("a", 0))
        let first = ledger.next()
        #expect(first?.member == 1)
        let was3 = ledger.remove(1)
        #expect(was3)
        #expect(ledger.count == 0)
        let was4 = ledger.add(1)
        #expect(was4)
        ledger.done(1, by: .init("a", 0), isDead: false)
        #expect(ledger.idle == [1])
    }

    @Test("no member is with two, none is lost, and all who wait are served, whatever happens")
    func schedules() {
        for seed in 0..<300 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var ledger = self.ledger(1...4)
            var members = Set(1...4)
            var asked = 0
            var settled = 0
            var working: [Ledger.Assignment] = []
            for _ in 0..<200 {
                switch UInt64.random(in: 0..<10, using: &random) {
                case 0..<4:
                    ledger.ask(.init(["a", "b"][asked % 2], UInt64(asked)))
                    asked += 1
                case 4..<8 where !working.isEmpty:
                    let isDead = UInt64.random(in: 0..<8, using: &random) == 0
                    let work = working.remove(at: Int.random(in: 0..<working.count, using: &random))
                    let was5 = ledger.done(work.member, by: work.ticket, isDead: isDead)
                    #expect(was5)
                    if isDead { members.remove(work.member) }
                    settled += 1
                case 8:
                    let new = 10 + asked * 100 + settled
                    if ledger.add(new) { members.insert(new) }
                default:
                    guard let ticket = ledger.waiting.randomElement(using: &random) else { continue }
                    let was6 = ledger.withdraw(ticket)
                    #expect(was6)
                    settled += 1
                }
                while let next = ledger.next() { working.append(next) }
                #expect(Set(working.map(\.member)).count == working.count, "seed \(seed)")
                #expect(Set(ledger.idle).union(working.map(\.member)) == members, "seed \(seed)")
                #expect(ledger.idle.isEmpty || ledger.waiting.isEmpty, "seed \(seed)")
            }
            #expect(asked == settled + working.count + ledger.waiting.count, "seed \(seed)")
        }
    }
}
