import MeshTesting
import Testing

/// Each question finds its own kind of violation, and is silent about the others.
@Suite struct CallEvidenceTests {
    /// Calls of one caller, started one after the other at times that are ten times their numbers.
    private func evidence(
        started: ClosedRange<Int>, retries: Int? = 0, ran: [(life: UInt64, number: Int)],
        answered: [(number: Int, life: UInt64, position: Int)], failed: [Int] = []
    ) -> CallEvidence {
        var evidence = CallEvidence()
        for number in started {
            evidence.add(
                .started(
                    CallRecord(
                        number: number, caller: "driver", actor: "actor", operation: .read, retries: retries,
                        start: UInt64(number * 10))))
        }
        for run in ran { evidence.add(.ran(CallRun(actor: "actor", life: run.life, number: run.number))) }
        for end in answered {
            let answer = CallAnswer(life: end.life, position: end.position, value: 0)
            evidence.add(.ended(CallEnd(number: end.number, answer: answer, time: UInt64(end.number * 10 + 5))))
        }
        for number in failed { evidence.add(.ended(CallEnd(number: number, code: 2, time: UInt64(number * 10 + 5)))) }
        return evidence
    }

    @Test("calls that ran in order, some again in the next life, are all right")
    func good() {
        let evidence = self.evidence(
            started: 1...5, retries: 1, ran: [(1, 1), (1, 2), (1, 3), (2, 2), (2, 4)],
            answered: [(1, 1, 1), (2, 2, 1), (4, 2, 2)], failed: [3, 5])
        #expect(evidence.violations() == [])
    }

    @Test("a call that runs after a later one is out of order, in one life and across two")
    func order() {
        let inLife = self.evidence(
            started: 1...2, ran: [(1, 2), (1, 1)], answered: [(2, 1, 1), (1, 1, 2)])
        #expect(inLife.violations().map(\.kind) == [.order])
        let across = self.evidence(started: 1...2, ran: [(1, 2), (2, 1)], answered: [(1, 2, 1)], failed: [2])
        #expect(across.violations().map(\.kind) == [.order])
        #expect(across.violations().map(\.call) == [1])
    }

    @Test("a call that ran twice in a life, or in more lives than it may, is a duplicate")
    func duplicate() {
        let inLife = self.evidence(started: 1...1, retries: nil, ran: [(1, 1), (1, 1)], answered: [(1, 1, 1)])
        #expect(inLife.violations().map(\.kind) == [.duplicate])
        let lives = self.evidence(started: 1...1, retries: 0, ran: [(1, 1), (2, 1)], answered: [(1, 2, 1)])
        #expect(lives.violations().map(\.kind) == [.duplicate])
        let answered = self.evidence(started: 1...1, retries: 5, ran: [(1, 1), (2, 1)], answered: [(1, 1, 1)])
        #expect(answered.violations().map(\.kind) == [.duplicate])
        let unknown = self.evidence(started: 1...1, ran: [(1, 1), (1, 7)], answered: [(1, 1, 1)])
        #expect(unknown.violations().map(\.kind) == [.duplicate])
        let twice = self.evidence(started: 1...1, ran: [(1, 1)], answered: [(1, 1, 1), (1, 1, 1)])
        #expect(twice.violations().map(\.kind) == [.duplicate])
    }

    @Test("a call without an end, an answer without a run, and a life that forgets, are losses")
    func loss() {
        #expect(self.evidence(started: 1...1, ran: [], answered: []).violations().map(\.kind) == [.loss])
        #expect(self.evidence(started: 1...1, ran: [], answered: [(1, 1, 1)]).violations().map(\.kind) == [.loss])
        let forgotten = self.evidence(
            started: 1...2, ran: [(1, 1), (1, 2)], answered: [(1, 1, 1), (2, 1, 1)])
        #expect(forgotten.violations().map(\.kind) == [.loss])
        let takenOver = self.evidence(
            started: 1...2, ran: [(1, 1), (2, 2)], answered: [(1, 1, 1), (2, 2, 2)])
        #expect(takenOver.violations().map(\.kind) == [.loss])
    }

    @Test("a life that answers after the next one has answered mixes lives")
    func lifetime() {
        let evidence = self.evidence(started: 1...2, ran: [(2, 1), (1, 2)], answered: [(1, 2, 1), (2, 1, 1)])
        #expect(Set(evidence.violations().map(\.kind)) == [.lifetime])
    }

    @Test("acknowledged messages are there once, in order")
    func messages() {
        var evidence = MessageEvidence()
        for number in 1...4 { evidence.send(number) }
        for number in 1...3 { evidence.acknowledge(number) }
        #expect(evidence.violations(in: [1, 2, 3]) == [])
        #expect(evidence.violations(in: [1, 2, 3, 4]) == [])
        #expect(evidence.violations(in: [1, 3]) == ["loss: message 2 was acknowledged"])
        #expect(evidence.violations(in: [1, 2, 2, 3]) == ["duplicate: message 2 is there twice"])
        #expect(evidence.violations(in: [2, 1, 3]) == ["order: message 1 came after 2"])
        #expect(evidence.violations(in: [1, 2, 3, 9]) == ["loss: nobody sent message 9"])
    }
}
