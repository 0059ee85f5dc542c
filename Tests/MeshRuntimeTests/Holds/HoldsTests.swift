import MeshCore
import MeshRuntime
import Testing

@Suite("What a process holds, and tells the broker of it (L1)")
struct HoldsTests {
    private let one = UniqueID(high: 1, low: 1)
    private let two = UniqueID(high: 1, low: 2)

    private func transit(_ number: UInt64, from sender: UInt64 = 9) -> Holds.Transit {
        Holds.Transit(sender: PeerID(sender), number: number)
    }

    private func released(_ actor: UniqueID, _ grants: Int) -> HoldChanges.Released {
        HoldChanges.Released(actor: actor, grants: grants)
    }

    @Test("what was taken is told once, and given back once")
    func takeAndDrop() {
        var holds = Holds()
        holds.take(self.one)
        #expect(holds.nextReport() == HoldChanges(acquired: [self.one]))
        #expect(holds.nextReport() == nil)
        holds.accepted()
        #expect(holds.nextReport() == nil)
        holds.drop(self.one, isDrained: true)
        #expect(holds.nextReport() == HoldChanges(released: [self.released(self.one, 1)]))
        holds.accepted()
        #expect(!holds.hasNews)
        #expect(holds.size == 0)
    }

    @Test("what came and went between two reports is never told")
    func unnoticed() {
        var holds = Holds()
        holds.take(self.one)
        holds.drop(self.one, isDrained: false)
        #expect(!holds.hasNews)
        #expect(holds.size == 0)
        // Nor is what went and came back.
        holds.take(self.two)
        _ = holds.nextReport()
        holds.accepted()
        holds.drop(self.two, isDrained: true)
        holds.take(self.two)
        #expect(!holds.hasNews)
    }

    @Test("a grant needs no report, and is given back with the rest")
    func grants() {
        var holds = Holds()
        holds.take(self.one)
        holds.grant(self.one)
        #expect(!holds.hasNews)
        holds.grant(self.one)
        holds.take(self.two)
        _ = holds.nextReport()
        // One comes while the report of the same actor is under way: the broker counts both.
        holds.grant(self.two)
        holds.drop(self.two, isDrained: true)
        holds.drop(self.one, isDrained: true)
        #expect(holds.nextReport() == nil)
        holds.accepted()
        let report = holds.nextReport()
        #expect(report?.acquired == [])
        #expect(Set(report?.released ?? []) == [self.released(self.one, 2), self.released(self.two, 2)])
    }

    @Test("what is taken again while its end is being told is told again")
    func retaken() {
        var holds = Holds()
        holds.take(self.one)
        holds.grant(self.one)
        holds.drop(self.one, isDrained: true)
        #expect(holds.nextReport()?.released == [self.released(self.one, 1)])
        holds.take(self.one)
        holds.grant(self.one)
        holds.accepted()
        #expect(!holds.hasNews)
        holds.drop(self.one, isDrained: true)
        #expect(holds.nextReport()?.released == [self.released(self.one, 1)])
    }

    @Test("a hold is given back only after what was sent has arrived")
    func draining() {
        var holds = Holds()
        holds.take(self.one)
        holds.grant(self.one)
        holds.drop(self.one, isDrained: false)
        #expect(!holds.hasNews)
        // A broker that returns must know of it until then.
        holds.reportEverything()
        #expect(holds.nextReport() == HoldChanges(acquired: [self.one], isComplete: true))
        holds.accepted()
        holds.drained(self.one)
        #expect(holds.nextReport()?.released == [self.released(self.one, 1)])
        holds.accepted()
        holds.drained(self.one)
        #expect(holds.size == 0)
    }

    @Test("a sender is answered when the broker knows, or when nothing is held any more")
    func transits() {
        var holds = Holds()
        holds.take(self.one)
        holds.received(self.transit(1), [self.one])
        #expect(holds.takeConfirmed() == [])
        _ = holds.nextReport()
        holds.take(self.two)
        holds.received(self.transit(2), [self.one, self.two, self.two])
        holds.accepted()
        #expect(holds.takeConfirmed() == [self.transit(1)])
        holds.received(self.transit(3), [self.one])
        #expect(holds.takeConfirmed() == [self.transit(3)])
        // The call has ended and nobody kept the handle.
        holds.drop(self.two, isDrained: true)
        #expect(holds.takeConfirmed() == [self.transit(2)])
        #expect(!holds.hasNews)
        #expect(holds.size == 1)
    }

    @Test("what the broker knew before it went away confirms nothing")
    func transitsWhileAway() {
        var holds = Holds()
        holds.take(self.one)
        holds.grant(self.one)
        holds.reportEverything()
        holds.received(self.transit(1), [self.one])
        #expect(holds.takeConfirmed() == [])
        _ = holds.nextReport()
        holds.received(self.transit(2), [self.one])
        holds.failed()
        #expect(holds.takeConfirmed() == [])
        #expect(holds.nextReport()?.isComplete == true)
        holds.accepted()
        #expect(Set(holds.takeConfirmed()) == [self.transit(1), self.transit(2)])
    }

    @Test("nor does an answer that may be of a broker that has gone since")
    func lateAnswer() {
        var holds = Holds()
        holds.take(self.one)
        holds.received(self.transit(1), [self.one])
        _ = holds.nextReport()
        holds.reportEverything()
        holds.accepted()
        #expect(holds.takeConfirmed() == [])
        #expect(holds.nextReport() == HoldChanges(acquired: [self.one], isComplete: true))
        holds.accepted()
        #expect(holds.takeConfirmed() == [self.transit(1)])
        holds.drop(self.one, isDrained: true)
        #expect(holds.nextReport()?.released == [self.released(self.one, 1)])
    }

    @Test("a message that comes twice, and one from a process that is gone, leave nothing behind")
    func repeated() {
        var holds = Holds()
        holds.take(self.one)
        for _ in 0..<3 { holds.received(self.transit(1), [self.one]) }
        holds.received(self.transit(1, from: 8), [self.one])
        holds.forget(PeerID(8))
        _ = holds.nextReport()
        holds.accepted()
        #expect(holds.takeConfirmed() == [self.transit(1)])
        #expect(holds.size == 1)
    }

    @Test("of an actor that has ended for good nothing more is told")
    func over() {
        var holds = Holds()
        holds.take(self.one)
        holds.received(self.transit(1), [self.one])
        _ = holds.nextReport()
        holds.accepted(ended: [self.one])
        #expect(holds.takeConfirmed() == [self.transit(1)])
        holds.drop(self.one, isDrained: true)
        #expect(!holds.hasNews)
        #expect(holds.size == 0)
    }

    @Test("a report that failed is made good by a complete one")
    func failure() {
        var holds = Holds()
        for actor in [self.one, self.two] {
            holds.take(actor)
            holds.grant(actor)
        }
        holds.drop(self.two, isDrained: true)
        _ = holds.nextReport()
        holds.failed()
        #expect(holds.nextReport() == HoldChanges(acquired: [self.one], isComplete: true))
        holds.accepted()
        holds.drop(self.one, isDrained: true)
        #expect(holds.nextReport()?.released == [self.released(self.one, 1)])
        holds.accepted()
        #expect(holds.size == 0)
    }
}
