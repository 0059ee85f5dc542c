import MeshTransportInProcess
import Testing

@testable import MeshRuntime

@Suite struct LendingLedgerTests {
    private static let second: UInt64 = 1_000_000_000
    private static let size = 1 << 20

    /// A ledger with slots of a size that are free at the time 0.
    private func ledger(free count: Int, capacity: Int = size) -> LendingLedger {
        var ledger = LendingLedger()
        _ = ledger.place(Self.size, at: 0)
        for number in 0..<UInt64(count) {
            ledger.offer(number, capacity: capacity, at: 0)
            #expect(ledger.answered(number, isMapped: true, at: 0).isEmpty)
        }
        return ledger
    }

    @Test("the first large value is not worth a slot, the next one soon after it is")
    func secondValue() {
        var ledger = LendingLedger()
        #expect(ledger.place(Self.size, at: 0).0 == .socket(making: nil))
        #expect(ledger.place(Self.size, at: Self.second).0 == .socket(making: Self.size))
        var late = LendingLedger()
        _ = late.place(Self.size, at: 0)
        #expect(late.place(Self.size, at: LendingLedger.idleTime + 1).0 == .socket(making: nil))
    }

    @Test("a slot is lent only when the other has mapped it, and again only when it has given it back")
    func oneAtATime() {
        var ledger = LendingLedger()
        _ = ledger.place(Self.size, at: 0)
        ledger.offer(1, capacity: Self.size, at: 0)
        #expect(ledger.place(Self.size, at: 1).0 == .socket(making: nil))
        #expect(ledger.answered(1, isMapped: true, at: 2).isEmpty)
        #expect(ledger.place(Self.size, at: 3).0 == .slot(1))
        #expect(ledger.lent == [])
        ledger.sent(1, at: 3)
        #expect(ledger.lent == [1])
        #expect(ledger.place(Self.size, at: 4).0 == .socket(making: Self.size))
        ledger.returned(1, at: 5)
        #expect(ledger.place(Self.size, at: 6).0 == .slot(1))
    }

    @Test("of the slots that fit the smallest is taken, and one that is too small never")
    func fit() {
        var ledger = LendingLedger()
        _ = ledger.place(1, at: 0)
        for (number, capacity) in [(1, 4 << 20), (2, 1 << 20), (3, 2 << 20)] as [(UInt64, Int)] {
            ledger.offer(number, capacity: capacity, at: 0)
            _ = ledger.answered(number, isMapped: true, at: 0)
        }
        #expect(ledger.place(2 << 20, at: 0).0 == .slot(3))
        #expect(ledger.place(2 << 20, at: 0).0 == .slot(1))
        #expect(ledger.place(2 << 20, at: 0).0 == .socket(making: 2 << 20))
        #expect(ledger.place(1 << 20, at: 0).0 == .slot(2))
    }

    @Test("who keeps a small value does not keep a slot of many times its size")
    func waste() {
        var ledger = self.ledger(free: 1, capacity: 32 << 20)
        #expect(ledger.place(64 << 10, at: 0).0 == .socket(making: 64 << 10))
        #expect(ledger.place(7 << 20, at: 0).0 == .socket(making: 7 << 20))
        #expect(ledger.place(8 << 20, at: 0).0 == .slot(0))
        // One that is expected and much too large will not do either.
        ledger.offer(1, capacity: 32 << 20, at: 0)
        #expect(ledger.place(64 << 10, at: 0).0 == .socket(making: 64 << 10))
    }

    @Test("a slot whose message has no place in the link yet is not given up, however long that takes")
    func sending() {
        var ledger = self.ledger(free: 3)
        #expect(ledger.place(Self.size, at: 0).0 == .slot(0))
        #expect(ledger.place(Self.size, at: 0).0 == .slot(1))
        ledger.sent(1, at: 0)
        // As when the process is stopped in between.
        let late = 10 * LendingLedger.patience
        #expect(ledger.expire(at: late) == [1, 2])
        #expect(ledger.nextExpiry == late + LendingLedger.idleTime)
        ledger.offer(7, capacity: Self.size, at: late)
        ledger.offer(8, capacity: Self.size, at: late)
        // Nor is one that the other may be about to open.
        #expect(ledger.answered(7, isMapped: false, at: late) == [7])
        #expect(ledger.answered(8, isMapped: true, at: late) == [8])
        ledger.sent(0, at: late)
        #expect(ledger.lent == [0])
        #expect(ledger.expire(at: late + LendingLedger.patience) == [0])
    }

    @Test("there are only so many slots, and one that is too small makes room for one that fits")
    func bounds() {
        var lent = self.ledger(free: LendingLedger.mostSlots)
        for _ in 0..<LendingLedger.mostSlots {
            guard case .slot = lent.place(Self.size, at: 0).0 else { return #expect(Bool(false)) }
        }
        #expect(lent.place(Self.size, at: 0).0 == .socket(making: nil))
        var small = self.ledger(free: LendingLedger.mostSlots)
        let (placement, givenUp) = small.place(2 * Self.size, at: 1)
        #expect(placement == .socket(making: 2 * Self.size))
        #expect(givenUp == [0])
        #expect(small.place(LendingLedger.mostBytes + 1, at: 1).0 == .socket(making: nil))
    }

    @Test("who cannot map a slot is offered no other")
    func refused() {
        var ledger = self.ledger(free: 2)
        ledger.offer(7, capacity: Self.size, at: 0)
        #expect(ledger.answered(7, isMapped: false, at: 0) == [0, 1, 7])
        #expect(ledger.isEmpty)
        #expect(ledger.place(Self.size, at: 1).0 == .socket(making: nil))
        #expect(ledger.place(Self.size, at: 2).0 == .socket(making: nil))
    }

    @Test("answers about slots that there are not mean nothing")
    func unasked() {
        var ledger = self.ledger(free: 1)
        #expect(ledger.answered(9, isMapped: true, at: 0).isEmpty)
        #expect(ledger.answered(9, isMapped: false, at: 0).isEmpty)
        #expect(ledger.answered(0, isMapped: false, at: 0).isEmpty)
        ledger.returned(9, at: 0)
        #expect(ledger.place(Self.size, at: 0).0 == .slot(0))
        #expect(ledger.place(Self.size, at: 0).0 == .socket(making: Self.size))
    }

    @Test("what is idle is given up, and what the other keeps for long is its own")
    func expiry() {
        var ledger = self.ledger(free: 2)
        #expect(ledger.nextExpiry == LendingLedger.idleTime)
        #expect(ledger.place(Self.size, at: Self.second).0 == .slot(0))
        ledger.sent(0, at: Self.second)
        #expect(ledger.expire(at: LendingLedger.idleTime - 1).isEmpty)
        #expect(ledger.expire(at: LendingLedger.idleTime) == [1])
        #expect(ledger.nextExpiry == Self.second + LendingLedger.patience)
        #expect(ledger.expire(at: Self.second + LendingLedger.patience) == [0])
        #expect(ledger.isEmpty)
        #expect(ledger.nextExpiry == nil)
        // One that was offered may be opened at any time.
        ledger.offer(9, capacity: Self.size, at: 0)
        #expect(ledger.expire(at: .max).isEmpty)
        #expect(ledger.nextExpiry == nil)
    }

    @Test("a slot is at most a quarter larger than what it is made for")
    func capacities() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<10_000 {
            let count = Int.random(in: 64 << 10...LendingLedger.mostBytes, using: &generator)
            let capacity = LendingLedger.capacity(for: count)
            #expect(capacity >= count && capacity <= count + count / 4 + 1 && capacity <= LendingLedger.mostBytes)
        }
        #expect(LendingLedger.capacity(for: 1) == 64 << 10)
        #expect(LendingLedger.capacity(for: 1 << 20) == 1 << 20)
    }

    @Test("whatever happens, no slot is lent twice, and there are never more than may be")
    func random() {
        for seed in 0..<200 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            var ledger = LendingLedger()
            var (offered, sending, lent): (Set<UInt64>, Set<UInt64>, Set<UInt64>) = ([], [], [])
            var known: Set<UInt64> = []
            var (next, now): (UInt64, UInt64) = (0, 0)
            func forget(_ numbers: [UInt64]) {
                for number in numbers {
                    #expect(known.remove(number) != nil)
                    #expect(!sending.contains(number))
                    offered.remove(number)
                    lent.remove(number)
                }
            }
            for _ in 0..<300 {
                now += UInt64.random(in: 0...Self.second / 4, using: &generator)
                switch Int.random(in: 0..<7, using: &generator) {
                case 0, 1, 2:
                    let (placement, givenUp) = ledger.place(Int.random(in: 1...4 << 20, using: &generator), at: now)
                    forget(givenUp)
                    switch placement {
                    case .slot(let number):
                        #expect(known.contains(number) && !offered.contains(number) && !lent.contains(number))
                        #expect(sending.insert(number).inserted)
                    case .socket(.some(let capacity)):
                        ledger.offer(next, capacity: capacity, at: now)
                        offered.insert(next)
                        known.insert(next)
                        next += 1
                    case .socket(nil): break
                    }
                case 3:
                    guard let number = offered.randomElement(using: &generator) else { continue }
                    offered.remove(number)
                    forget(ledger.answered(number, isMapped: true, at: now))
                case 4:
                    guard let number = lent.randomElement(using: &generator) else { continue }
                    lent.remove(number)
                    ledger.returned(number, at: now)
                case 5:
                    guard let number = sending.randomElement(using: &generator) else { continue }
                    sending.remove(number)
                    lent.insert(number)
                    ledger.sent(number, at: now)
                default: forget(ledger.expire(at: now))
                }
                #expect(known.count <= LendingLedger.mostSlots)
                #expect(Set(ledger.lent) == lent)
            }
        }
    }
}
