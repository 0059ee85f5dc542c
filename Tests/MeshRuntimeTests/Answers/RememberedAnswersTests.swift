import FoundationEssentials
import MeshCore
import MeshMessagePack
import Testing

@testable import MeshRuntime

@Suite struct RememberedAnswersTests {
    private let one = PeerID(1)
    private let other = PeerID(2)

    /// A call as it came over a link: under a new number each time.
    private func call(_ sequence: UInt64, callID: UInt64 = 0) -> InboundCall {
        let buffer = WireBuffer()
        let message = InboundMessage(head: buffer.bytes, attachments: [], owner: buffer)
        return InboundCall(
            origin: nil, callID: callID, sequence: sequence, isOneWay: false, wantsCredit: false, deadline: 0,
            context: nil, target: CallTarget(name: "", route: .unknown),
            payload: Payload(message: message, range: 0..<0))
    }

    private func answer(_ text: String, size: Int = 0) -> CallAnswer {
        .result(EncodedValue(Data(text.utf8) + Data(count: size)), attachments: [])
    }

    /// What came of a call, in a word.
    private func arrive(
        _ answers: inout RememberedAnswers, _ call: InboundCall, from caller: PeerID, below: UInt64 = 1, now: UInt64 = 0
    ) -> String {
        switch answers.arrive(call, from: caller, answeredBelow: below, now: now) {
        case .new: "new"
        case .open: "open"
        case .answered(.result(let value, _)): String(decoding: value.data.prefix { $0 != 0 }, as: UTF8.self)
        case .answered(.failure): "failure"
        case .forgotten: "forgotten"
        }
    }

    @Test("a call that comes again is open until it is answered, and then has that answer")
    func again() {
        var answers = RememberedAnswers()
        #expect(self.arrive(&answers, self.call(1), from: self.one) == "new")
        #expect(self.arrive(&answers, self.call(1), from: self.one) == "open")
        #expect(answers.conclude(self.call(1), from: self.one, with: self.answer("a")) != nil)
        #expect(self.arrive(&answers, self.call(1), from: self.one) == "a")
        #expect(self.arrive(&answers, self.call(1), from: self.other) == "new", "another caller's is another call")
        #expect(answers.answerCount == 1)
    }

    @Test("whoever asked last gets the answer, and cancels by the name by which it asked")
    func latest() {
        var answers = RememberedAnswers()
        _ = self.arrive(&answers, self.call(7, callID: 70), from: self.one)
        _ = self.arrive(&answers, self.call(7, callID: 71), from: self.one)
        let asker = answers.asker(of: self.call(7), from: self.one)
        #expect(asker.callID == 71)
        #expect(answers.original(of: CallKey(origin: nil, callID: 71), from: self.one)?.callID == 70)
        #expect(answers.original(of: CallKey(origin: nil, callID: 72), from: self.one) == nil)
        let latest = answers.conclude(self.call(7), from: self.one, with: self.answer("a"))
        #expect(latest?.callID == 71)
        #expect(answers.original(of: CallKey(origin: nil, callID: 71), from: self.one) == nil)
    }

    @Test("answers that the caller has are forgotten, and such a call never runs again")
    func answered() {
        var answers = RememberedAnswers()
        for sequence in 1...3 as ClosedRange<UInt64> {
            _ = self.arrive(&answers, self.call(sequence), from: self.one)
            _ = answers.conclude(self.call(sequence), from: self.one, with: self.answer("\(sequence)"))
        }
        #expect(self.arrive(&answers, self.call(4), from: self.one, below: 3) == "new")
        #expect(answers.answerCount == 1)
        #expect(self.arrive(&answers, self.call(3), from: self.one, below: 3) == "3")
        #expect(self.arrive(&answers, self.call(2), from: self.one, below: 3) == "forgotten")
        // A late message that says less does not lower the floor.
        #expect(self.arrive(&answers, self.call(2), from: self.one, below: 1) == "forgotten")
    }

    @Test("the answer of a call that its caller has given up goes out and is not kept")
    func givenUp() {
        var answers = RememberedAnswers()
        _ = self.arrive(&answers, self.call(1), from: self.one)
        _ = self.arrive(&answers, self.call(2), from: self.one, below: 2)
        #expect(answers.conclude(self.call(1), from: self.one, with: self.answer("1")) != nil)
        #expect(answers.answerCount == 0)
        #expect(answers.byteCount == 0)
        #expect(self.arrive(&answers, self.call(1), from: self.one, below: 2) == "forgotten")
    }

    @Test("a call that was dropped before it ran is new when it comes again")
    func dropped() {
        var answers = RememberedAnswers()
        for sequence in 1...3 as ClosedRange<UInt64> { _ = self.arrive(&answers, self.call(sequence), from: self.one) }
        answers.drop(self.call(2), from: self.one)
        #expect(self.arrive(&answers, self.call(2), from: self.one) == "new")
        #expect(self.arrive(&answers, self.call(3), from: self.one) == "open")
    }

    @Test("the oldest answers give way when they take too much, and are not taken for new calls")
    func bytes() {
        var answers = RememberedAnswers(limits: .init(bytes: 1000))
        for sequence in 1...10 as ClosedRange<UInt64> {
            _ = self.arrive(&answers, self.call(sequence), from: self.one)
            _ = answers.conclude(self.call(sequence), from: self.one, with: self.answer("\(sequence)", size: 200))
            #expect(answers.byteCount <= 1000)
        }
        #expect(self.arrive(&answers, self.call(10), from: self.one) == "10")
        #expect(self.arrive(&answers, self.call(1), from: self.one) == "forgotten")
        // One that is too large by itself is not kept at all, and neither run again.
        _ = self.arrive(&answers, self.call(11), from: self.one)
        _ = answers.conclude(self.call(11), from: self.one, with: self.answer("11", size: 5000))
        #expect(answers.byteCount == 0)
        #expect(self.arrive(&answers, self.call(11), from: self.one) == "forgotten")
    }

    @Test("a caller that is gone is forgotten after a while, unless it comes back")
    func gone() {
        var answers = RememberedAnswers(limits: .init(retention: 100))
        for caller in [self.one, self.other] {
            _ = self.arrive(&answers, self.call(1), from: caller)
            _ = answers.conclude(self.call(1), from: caller, with: self.answer("a"))
            answers.callerIsGone(caller, now: 1000)
        }
        #expect(self.arrive(&answers, self.call(1), from: self.one, now: 1100) == "a")
        #expect(answers.callerCount == 2)
        _ = self.arrive(&answers, self.call(2), from: self.one, now: 1101)
        #expect(answers.callerCount == 1)
        #expect(answers.answerCount == 1)
    }

    @Test("of too many callers those give way that are gone, then those not heard of for longest, none with open calls")
    func callers() {
        var answers = RememberedAnswers(limits: .init(callers: 3))
        for number in 1...3 as ClosedRange<UInt64> {
            _ = self.arrive(&answers, self.call(1), from: PeerID(number), now: number)
            guard number != 1 else { continue }
            _ = answers.conclude(self.call(1), from: PeerID(number), with: self.answer("a"))
        }
        answers.callerIsGone(PeerID(3), now: 4)
        _ = self.arrive(&answers, self.call(1), from: PeerID(4), now: 5)
        #expect(self.arrive(&answers, self.call(1), from: PeerID(2), now: 6) == "a")
        #expect(self.arrive(&answers, self.call(1), from: PeerID(1), now: 7) == "open")
        #expect(answers.callerCount == 3)
    }

    @Test("what is stored is what another life of the actor remembers; its open calls are new to it")
    func stored() throws {
        var answers = RememberedAnswers()
        for sequence in 5...8 as ClosedRange<UInt64> {
            _ = self.arrive(&answers, self.call(sequence), from: self.one, below: 4)
        }
        for sequence in 5...7 as ClosedRange<UInt64> {
            let answer = self.answer("\(sequence)")
            let stored = try MessagePackEncoder().encode(StoredAnswer(sequence: sequence, answer: answer))
            guard sequence < 7 else {
                // The newest is on its way into the store together with the others.
                let all = try self.reread(StoredAnswers(answers, adding: (self.one, stored)))
                answers = try all.remembered(limits: .init(retention: 100), now: 50, decoder: MessagePackDecoder())
                continue
            }
            _ = answers.conclude(self.call(sequence), from: self.one, with: answer, stored: stored)
        }
        #expect(answers.answerCount == 3)
        let again = try self.reread(StoredAnswers(answers))
        var next = try again.remembered(limits: .init(retention: 100), now: 50, decoder: MessagePackDecoder())
        #expect(next.answerCount == answers.answerCount)
        #expect(next.byteCount == answers.byteCount)
        #expect(self.arrive(&next, self.call(6), from: self.one, below: 4, now: 60) == "6")
        #expect(self.arrive(&next, self.call(8), from: self.one, below: 4, now: 60) == "new")
        #expect(self.arrive(&next, self.call(3), from: self.one, below: 4, now: 60) == "forgotten")
        // Callers that are never heard of again do not stay for ever.
        var last = try again.remembered(limits: .init(retention: 100), now: 50, decoder: MessagePackDecoder())
        _ = self.arrive(&last, self.call(1), from: self.other, now: 151)
        #expect(last.callerCount == 1)
    }

    private func reread(_ stored: StoredAnswers) throws -> StoredAnswers {
        try MessagePackDecoder().decode(StoredAnswers.self, from: try MessagePackEncoder().encode(stored))
    }

    @Test("stored answers that are damaged are an error")
    func damaged() throws {
        var stored = StoredAnswers()
        stored.callers = [StoredAnswers.Caller(peer: self.one, floor: 1, answers: Data([0x92, 1]))]
        #expect(throws: DecodingError.self) {
            try stored.remembered(limits: .init(), now: 0, decoder: MessagePackDecoder())
        }
    }

    @Test("a long series of calls leaves nothing behind")
    func bounded() {
        var answers = RememberedAnswers()
        for sequence in 1...10_000 as ClosedRange<UInt64> {
            let below = sequence > 10 ? sequence - 10 : 1
            #expect(self.arrive(&answers, self.call(sequence), from: self.one, below: below) == "new")
            _ = answers.conclude(self.call(sequence), from: self.one, with: self.answer("a"))
        }
        #expect(answers.answerCount == 11)
        #expect(answers.callers[self.one]?.sequences == Array(9990...10_000))
    }
}
