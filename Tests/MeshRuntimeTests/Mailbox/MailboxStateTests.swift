import DequeModule
import FoundationEssentials
import MeshCore
import Testing

@testable import MeshRuntime

@Suite struct MailboxStateTests {
    private func call(_ number: UInt64, isOneWay: Bool = false, wantsCredit: Bool = false) -> InboundCall {
        let buffer = WireBuffer()
        let message = InboundMessage(head: buffer.bytes, attachments: [], owner: buffer)
        return InboundCall(
            origin: nil, callID: number, sequence: number, isOneWay: isOneWay, wantsCredit: wantsCredit,
            deadline: 0, context: nil, target: CallTarget(name: "", route: .unknown),
            payload: Payload(message: message, range: 0..<0))
    }

    /// Which call a turn runs; nil for none.
    private func number(_ turn: MailboxState.Turn) -> UInt64? {
        if case .run(let call) = turn { call.callID } else { nil }
    }

    @Test("with a limit of 1 the first call starts a runner and the others wait for it, in order")
    func oneAtATime() {
        var state = MailboxState(limit: 1)
        guard case .start = state.arrive(self.call(1)), case .wait = state.arrive(self.call(2)),
            case .wait = state.arrive(self.call(3))
        else { return #expect(Bool(false), "only the first starts a runner") }
        let runner = MailboxRunner()
        for number in 1...3 {
            let turn = state.next(for: runner)
            #expect(self.number(turn) == UInt64(number))
            #expect(state.running.count == 1)
        }
        guard case .end = state.next(for: runner) else { return #expect(Bool(false), "nothing is left") }
        #expect(state.runners == 0)
        #expect(state.running.isEmpty)
        guard case .start = state.arrive(self.call(4)) else { return #expect(Bool(false), "a new runner is needed") }
    }

    @Test("with a limit of 2 two run side by side and the third waits")
    func twoAtATime() {
        var state = MailboxState(limit: 2)
        let (one, two) = (MailboxRunner(), MailboxRunner())
        var starts = 0
        for number in 1...3 { if case .start = state.arrive(self.call(UInt64(number))) { starts += 1 } }
        #expect(starts == 2)
        let turns = [state.next(for: one), state.next(for: two)]
        #expect(turns.map(self.number) == [1, 2])
        let third = state.next(for: two)
        #expect(self.number(third) == 3)
        #expect(state.running.map(\.call.callID).sorted() == [1, 3])
    }

    @Test("a call that waits is taken out when it is cancelled")
    func cancelWaiting() {
        var state = MailboxState(limit: 1)
        for number in 1...3 { _ = state.arrive(self.call(UInt64(number))) }
        guard case .removed(let call) = state.cancel(CallKey(origin: nil, callID: 2)) else {
            return #expect(Bool(false), "it waited")
        }
        #expect(call.callID == 2)
        #expect(state.waiting.map(\.callID) == [1, 3])
        guard case .unknown = state.cancel(CallKey(origin: PeerID(7), callID: 1)) else {
            return #expect(Bool(false), "the call of another caller is another call")
        }
    }

    @Test("a runner whose call was cancelled takes no other, and another takes its place")
    func cancelRunning() {
        var state = MailboxState(limit: 1)
        let runner = MailboxRunner()
        _ = state.arrive(self.call(1))
        _ = state.next(for: runner)
        _ = state.arrive(self.call(2))
        guard case .running(let marked) = state.cancel(CallKey(origin: nil, callID: 1)) else {
            return #expect(Bool(false), "it ran")
        }
        #expect(marked === runner)
        // The call ends before its task was cancelled: the next one must not be hit.
        guard case .replace = state.next(for: runner) else { return #expect(Bool(false), "it must not run call 2") }
        #expect(state.runners == 1)
        let turn = state.next(for: MailboxRunner())
        #expect(self.number(turn) == 2)
    }

    @Test("a one-way message is never cancelled, although its number is that of a call")
    func cancelOneWay() {
        var state = MailboxState(limit: 1)
        let runner = MailboxRunner()
        _ = state.arrive(self.call(0, isOneWay: true))
        _ = state.arrive(self.call(0, isOneWay: true))
        _ = state.arrive(self.call(0))
        _ = state.next(for: runner)
        guard case .removed(let call) = state.cancel(CallKey(origin: nil, callID: 0)) else {
            return #expect(Bool(false), "the call waited")
        }
        #expect(!call.isOneWay)
        #expect(runner.departure == .none)
    }

    @Test("a released runner is replaced at once and ends by itself")
    func release() {
        var state = MailboxState(limit: 1)
        let (first, second) = (MailboxRunner(), MailboxRunner())
        _ = state.arrive(self.call(1))
        _ = state.next(for: first)
        _ = state.arrive(self.call(2))
        let needsRunner = state.release()
        #expect(needsRunner)
        let turn = state.next(for: second)
        #expect(self.number(turn) == 2)
        #expect(state.runners == 1)
        guard case .end = state.next(for: first) else { return #expect(Bool(false), "it was replaced") }
        #expect(state.runners == 1)
        guard case .end = state.next(for: second) else { return #expect(Bool(false), "nothing is left") }
        #expect(state.runners == 0)
    }

    @Test("a closed mailbox gives back what waited and what ran, and refuses what comes")
    func close() {
        var state = MailboxState(limit: 1)
        for number in 1...3 { _ = state.arrive(self.call(UInt64(number))) }
        _ = state.next(for: MailboxRunner())
        let error = MeshError(.actorDied, "It was killed.")
        let (waiting, running) = state.close(with: error)
        #expect(waiting.map(\.callID) == [2, 3])
        #expect(running.map(\.call.callID) == [1])
        guard case .refused(error) = state.arrive(self.call(4)) else { return #expect(Bool(false), "it is closed") }
        _ = state.close(with: MeshError(.shutDown, "again"))
        guard case .refused(error) = state.arrive(self.call(5)) else {
            return #expect(Bool(false), "the first reason stays")
        }
    }

    @Test("credit is given when a message that asked has run")
    func credit() {
        var state = MailboxState(limit: 1)
        let calls = [false, true, false, true].map { self.call(0, isOneWay: true, wantsCredit: $0) }
        for call in calls { _ = state.arrive(call) }
        let credits = calls.map { state.completedOneWay($0) }
        #expect(credits == [nil, 2, nil, 2])
    }

    @Test("side by side, credit waits for as many as had arrived, in whatever order they end")
    func creditSideBySide() {
        var state = MailboxState(limit: 8)
        let calls = [false, true, false, true].map { self.call(0, isOneWay: true, wantsCredit: $0) }
        for call in calls { _ = state.arrive(call) }
        let credits = [calls[3], calls[1], calls[0], calls[2]].map { state.completedOneWay($0) }
        #expect(credits == [nil, 2, nil, 2])
    }
}
