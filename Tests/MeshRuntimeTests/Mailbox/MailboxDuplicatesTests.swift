import FoundationEssentials
import MeshCore
import Testing

@testable import MeshRuntime

/// C4, the callee's side: what came before does not run again.
@Suite struct MailboxDuplicatesTests {
    private func call(_ sequence: UInt64, callID: UInt64, answeredBelow: UInt64 = 1) -> InboundCall {
        let buffer = WireBuffer()
        let message = InboundMessage(head: buffer.bytes, attachments: [], owner: buffer)
        return InboundCall(
            origin: nil, callID: callID, sequence: sequence, isOneWay: false, wantsCredit: false, deadline: 0,
            context: CallContextFields(answeredBelow: answeredBelow), target: CallTarget(name: "", route: .unknown),
            payload: Payload(message: message, range: 0..<0))
    }

    private func isRun(_ turn: MailboxState.Turn, _ callID: UInt64) -> Bool {
        if case .run(let call) = turn { call.callID == callID } else { false }
    }

    private let answer = CallAnswer.result(EncodedValue(Data([0xc0])), attachments: [])

    @Test("a call that waits and comes again runs once, in its first place, for the newest asker")
    func waiting() {
        var state = MailboxState(limit: 1)
        let runner = MailboxRunner()
        _ = state.arrive(self.call(1, callID: 10))
        _ = state.next(for: runner)
        for (sequence, callID) in [(2, 20), (3, 30), (2, 21)] as [(UInt64, UInt64)] {
            guard case .wait = state.arrive(self.call(sequence, callID: callID)) else {
                return #expect(Bool(false), "one runs already")
            }
        }
        #expect(state.waiting.map(\.callID) == [20, 30])
        _ = state.conclude(self.call(1, callID: 10), with: self.answer)
        let turn = state.next(for: runner)
        #expect(self.isRun(turn, 20))
        #expect(state.conclude(self.call(2, callID: 20), with: self.answer).callID == 21)
        guard case .answered(self.answer) = state.arrive(self.call(2, callID: 22)) else {
            return #expect(Bool(false), "it has run")
        }
    }

    @Test("a call that runs and came again is cancelled by its new name, and ends for the newest asker")
    func running() {
        var state = MailboxState(limit: 1)
        let runner = MailboxRunner()
        _ = state.arrive(self.call(1, callID: 10))
        _ = state.next(for: runner)
        _ = state.arrive(self.call(1, callID: 11))
        guard case .running(let marked) = state.cancel(CallKey(origin: nil, callID: 11)) else {
            return #expect(Bool(false), "it runs")
        }
        #expect(marked === runner)
        let (_, running) = state.close(with: MeshError(.actorDied, "It was killed."))
        #expect(running.map(\.call.callID) == [11])
    }

    @Test("a closed mailbox still gives the answers that it has")
    func closed() {
        var state = MailboxState(limit: 1)
        _ = state.arrive(self.call(1, callID: 10))
        _ = state.next(for: MailboxRunner())
        _ = state.conclude(self.call(1, callID: 10), with: self.answer)
        _ = state.close(with: MeshError(.actorDied, "It was killed."))
        guard case .answered = state.arrive(self.call(1, callID: 11)) else {
            return #expect(Bool(false), "it has run")
        }
        guard case .refused = state.arrive(self.call(2, callID: 20)) else {
            return #expect(Bool(false), "it is closed")
        }
        // Refused is not run: it does not count as open either.
        guard case .refused = state.arrive(self.call(2, callID: 21)) else {
            return #expect(Bool(false), "it is closed")
        }
    }

    @Test("a call that was refused while it waited is refused again when the news of that was lost")
    func refusedWhileItWaited() {
        var state = MailboxState(limit: 1)
        let runner = MailboxRunner()
        _ = state.arrive(self.call(1, callID: 10))
        _ = state.next(for: runner)
        _ = state.arrive(self.call(2, callID: 20))
        _ = state.arrive(self.call(2, callID: 21))
        let (waiting, _) = state.close(with: MeshError(.actorDied, "It ends."))
        #expect(waiting.map(\.callID) == [21])
        guard case .refused = state.arrive(self.call(2, callID: 22)) else {
            return #expect(Bool(false), "nobody would answer it")
        }
    }

    @Test("a call that is refused when its turn comes is so to its newest asker, and may come again")
    func refusedInItsTurn() {
        var state = MailboxState(limit: 1)
        let runner = MailboxRunner()
        _ = state.arrive(self.call(1, callID: 10))
        _ = state.arrive(self.call(1, callID: 11))
        _ = state.next(for: runner)
        #expect(state.refuse(self.call(1, callID: 10)).callID == 11)
        _ = state.arrive(self.call(1, callID: 12))
        let turn = state.next(for: runner)
        #expect(self.isRun(turn, 12))
    }

    @Test("what came before and is forgotten does not run, and is not refused as if it never had")
    func forgotten() {
        var state = MailboxState(limit: 1)
        _ = state.arrive(self.call(5, callID: 50, answeredBelow: 5))
        guard case .forgotten(let error) = state.arrive(self.call(4, callID: 40)) else {
            return #expect(Bool(false), "its caller has said that it has the answer")
        }
        #expect(error.code == .actorUnavailable)
    }

    @Test("calls that cannot be sent again are not remembered")
    func others() {
        var state = MailboxState(limit: 1)
        let buffer = WireBuffer()
        let message = InboundMessage(head: buffer.bytes, attachments: [], owner: buffer)
        let call = InboundCall(
            origin: nil, callID: 1, sequence: 1, isOneWay: false, wantsCredit: false, deadline: 0, context: nil,
            target: CallTarget(name: "", route: .unknown), payload: Payload(message: message, range: 0..<0))
        _ = state.arrive(call)
        #expect(state.conclude(call, with: self.answer) === call)
        #expect(state.answers.callerCount == 0)
    }
}
