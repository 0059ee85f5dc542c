import FoundationEssentials
import MeshCore
import MeshRuntime
import Testing

@testable import MeshCluster

/// B2: what has to be written before what.
struct JournalTests {
    private let actor = UniqueID(high: 7, low: 1)
    private let failure = MeshError(.systemFailure, "The disk is full.")

    private var end: Effect { .end(self.actor, incarnation: 1, on: PeerID(3), .kill, .killed) }
    private var ask: Effect { .ask(self.actor, incarnation: 1, on: PeerID(3), about: self.termination) }
    private var termination: ActorTermination {
        ActorTermination(
            actor: self.actor, typeName: "Fixture", name: nil, namespace: "", incarnation: 1, cause: .killed,
            message: "", node: "", date: .init(timeIntervalSinceReferenceDate: 0))
    }

    @Test("what changes nothing waits for nothing")
    func idle() {
        var journal = Journal()
        #expect(journal.add([], [self.ask, self.end]) == [self.ask, self.end])
        #expect(!journal.isBehind && !journal.canBegin)
    }

    @Test("orders to end run ahead of what is written; all else that acts waits for it")
    func ahead() {
        var journal = Journal()
        #expect(
            journal.add([self.actor], [self.ask, self.end, .changed(self.actor)]) == [self.end, .changed(self.actor)])
        let batch = journal.begin()
        #expect(batch.changed == [self.actor] && batch.effects == [self.ask])
        #expect(journal.add([], [self.ask]).isEmpty, "it must not overtake")
        #expect(!journal.canBegin, "one write at a time")
        #expect(journal.end(batch, nil).isEmpty)
        #expect(journal.begin().effects == [self.ask])
    }

    @Test("what failed is written again, together with what came later, and its effects first")
    func again() {
        var journal = Journal()
        _ = journal.add([self.actor], [self.ask])
        let first = journal.begin()
        let other = UniqueID(high: 7, low: 2)
        _ = journal.add([other], [.reclaim([]), self.ask])
        _ = journal.end(first, self.failure)
        #expect(journal.failure == self.failure && journal.isBehind)
        let second = journal.begin()
        #expect(second.changed == [self.actor, other])
        #expect(second.effects == [self.ask, self.ask])
        _ = journal.end(second, nil)
        #expect(journal.failure == nil && !journal.isBehind)
    }
}
