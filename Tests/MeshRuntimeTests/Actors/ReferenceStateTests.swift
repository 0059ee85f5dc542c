import MeshCore
import Testing

@testable import MeshRuntime

@Suite struct ReferenceStateTests {
    private typealias State = ReferenceState<String>

    private static let gone = MeshError(.actorDied, "Its process 7 has ended.")
    private static let silent = MeshError(.actorUnavailable, "Nothing was heard; the call may or may not have run.")

    private func place(_ incarnation: UInt64, process: UInt64 = 1) -> ActorLocation {
        ActorLocation(
            address: PeerAddress(
                peer: PeerID(process), host: HostID("host"), processID: 7, startTime: 0, endpoints: []),
            incarnation: incarnation)
    }

    /// A refusal by the first life.
    private func refusal(_ sequence: UInt64, mayHaveRun: Bool = false) -> CallRefusal {
        CallRefusal(actor: UniqueID(high: 1, low: 1), incarnation: 1, sequence: sequence, mayHaveRun: mayHaveRun)
    }

    /// Calls to the first life: `sent` of them are at it, then `unsent` wait.
    private func state(
        retries: Limit, mayRestart: Bool = true, sent: Int = 0
    ) -> State {
        var state = State(location: self.place(1), retries: retries, mayRestart: mayRestart)
        for number in 0..<sent { _ = state.calls.keep("call \(number)", .sent(1)) }
        return state
    }

    /// Sends whatever is to be sent. Returns the names of what was sent, in order, and of what failed.
    private func carryOut(
        _ steps: [(sequence: UInt64, step: State.Step)]?, _ state: inout State
    ) -> (sent: [String], anew: [String], failed: [String]) {
        var result: (sent: [String], anew: [String], failed: [String]) = ([], [], [])
        for (sequence, step) in steps ?? [] {
            guard let call = state.calls[sequence]?.call else { continue }
            switch step {
            case .send: result.sent.append(call)
            case .sendAnew: result.anew.append(call)
            case .fail:
                result.failed.append(call)
                state.calls.remove(sequence)
                continue
            }
            state.noteSent(sequence)
        }
        return result
    }

    @Test("an actor without another life has ended with its process")
    func end() {
        var state = self.state(retries: 0, mayRestart: false)
        let failed = state.lose(hasEnded: true, canSearch: true, reason: Self.gone)
        #expect(failed.calls == [])
        #expect(state.ended == Self.gone)
        // The first reason stays.
        _ = state.end(with: Self.silent)
        #expect(state.ended == Self.gone)
    }

    @Test("without anybody to ask, what has ended has ended, and what is silent is called again")
    func noDirectory() {
        var state = self.state(retries: 1, sent: 2)
        let failed = state.lose(hasEnded: false, canSearch: false, reason: Self.silent)
        #expect(failed.calls == ["call 0", "call 1"])
        #expect(failed.error.code == .actorUnavailable)
        guard case .connected = state.phase else { return #expect(Bool(false), "it may live") }
        _ = state.lose(hasEnded: true, canSearch: false, reason: Self.gone)
        #expect(state.ended == Self.gone)
    }

    @Test("without retries what was sent fails at once, and what was not waits for the next life")
    func atMostOnce() {
        var state = self.state(retries: 0, sent: 2)
        let failed = state.lose(hasEnded: true, canSearch: true, reason: Self.gone)
        #expect(failed.calls == ["call 0", "call 1"])
        #expect(failed.error.code == .actorUnavailable)
        #expect(failed.error.message.contains("may or may not have run"))
        _ = state.calls.keep("late", .unsent)
        let outcome = self.carryOut(state.find(self.place(2)), &state)
        #expect(outcome == (["late"], [], []))
    }

    @Test("with retries all wait and go to the next life in the order in which they were made")
    func order() {
        var state = self.state(retries: 1, sent: 3)
        let failed = state.lose(hasEnded: true, canSearch: true, reason: Self.gone).calls
        #expect(failed == [])
        _ = state.calls.keep("late", .unsent)
        let steps = state.find(self.place(2))
        #expect(steps?.map(\.sequence) == [1, 2, 3, 4])
        #expect(steps?.map(\.step) == [.sendAnew, .sendAnew, .sendAnew, .send])
        _ = self.carryOut(steps, &state)
        #expect(state.location.incarnation == 2)
        #expect(state.interruption == nil)
    }

    @Test("each life in which a call may have run takes a retry; waiting takes none")
    func retries() {
        var state = self.state(retries: 2, sent: 1)
        for life in 2...3 as ClosedRange<UInt64> {
            let failed1 = state.lose(hasEnded: true, canSearch: true, reason: Self.gone).calls
            #expect(failed1 == [])
            // Silence and death while it waits change nothing.
            let failed2 = state.lose(hasEnded: false, canSearch: true, reason: Self.silent).calls
            #expect(failed2 == [])
            let failed3 = state.lose(hasEnded: true, canSearch: true, reason: Self.gone).calls
            #expect(failed3 == [])
            _ = self.carryOut(state.find(self.place(life)), &state)
        }
        #expect(state.calls[1]?.reruns == 2)
        let failed4 = state.lose(hasEnded: true, canSearch: true, reason: Self.gone).calls
        #expect(failed4 == ["call 0"])
    }

    @Test("unlimited retries go on until the actor has ended for good")
    func unlimited() {
        var state = self.state(retries: .unlimited, sent: 1)
        for life in 2...100 as ClosedRange<UInt64> {
            let failed = state.lose(hasEnded: true, canSearch: true, reason: Self.gone).calls
            #expect(failed == [])
            _ = self.carryOut(state.find(self.place(life)), &state)
        }
        _ = state.lose(hasEnded: true, canSearch: true, reason: Self.gone)
        let error = MeshError(.actorDied, "It was restarted too often.")
        let failed = state.end(with: error)
        #expect(failed.calls == ["call 0"])
        #expect(failed.error == error)
    }

    @Test("to the same life a call goes again as what it was, as often as it takes, whatever retries are left")
    func sameLife() {
        var state = self.state(retries: 1, sent: 2)
        for _ in 0..<5 {
            let failed = state.lose(hasEnded: false, canSearch: true, reason: Self.silent).calls
            #expect(failed == [])
            let outcome = self.carryOut(state.find(self.place(1)), &state)
            #expect(outcome == (["call 0", "call 1"], [], []))
        }
        #expect(state.calls[1]?.reruns == 0)
    }

    @Test("a call whose retries are used up may go to the same life again, but not to another")
    func usedUp() {
        for isSameLife in [true, false] {
            var state = self.state(retries: 1, sent: 1)
            _ = state.lose(hasEnded: true, canSearch: true, reason: Self.gone)
            _ = self.carryOut(state.find(self.place(2)), &state)
            let failed = state.lose(hasEnded: false, canSearch: true, reason: Self.silent).calls
            #expect(failed == [])
            let outcome = self.carryOut(state.find(self.place(isSameLife ? 2 : 3)), &state)
            #expect(outcome == (isSameLife ? (["call 0"], [], []) : ([], [], ["call 0"])))
        }
    }

    @Test("a refused call has not run: it and those behind it go to the next life and use up no retry")
    func refused() {
        var state = self.state(retries: 0, sent: 4)
        // The first two were accepted and answered before.
        state.calls.remove(1)
        let isWaiting1 = state.refuse(self.refusal(3), canSearch: true)
        #expect(isWaiting1)
        #expect(state.interruption?.hasEnded == true)
        let isWaiting2 = state.refuse(self.refusal(4), canSearch: true)
        #expect(isWaiting2)
        _ = state.calls.keep("late", .unsent)
        let outcome = self.carryOut(state.find(self.place(2)), &state)
        #expect(outcome == (["late"], ["call 2", "call 3"], []))
        // The second one waits for its own answer, which no later life will give.
        #expect(state.calls[2] == nil)
    }

    @Test("those behind a refused call have not run either, should its process end before it can say so of them")
    func refusedThenLost() {
        var state = self.state(retries: 0, sent: 3)
        let isWaiting = state.refuse(self.refusal(2), canSearch: true)
        #expect(isWaiting)
        let failed = state.lose(hasEnded: true, canSearch: true, reason: Self.gone).calls
        #expect(failed == ["call 0"])
        let outcome = self.carryOut(state.find(self.place(2)), &state)
        #expect(outcome == ([], ["call 1", "call 2"], []))
    }

    @Test("a refusal by the life that is found again concerns only the calls that it names")
    func refusedInTheSameLife() {
        var state = self.state(retries: 0, sent: 3)
        let isWaiting = state.refuse(self.refusal(1), canSearch: true)
        #expect(isWaiting)
        let outcome = self.carryOut(state.find(self.place(1)), &state)
        #expect(outcome == ([], ["call 0"], []))
        #expect(state.calls.sequences == [1, 2, 3])
    }

    @Test("a call that ran when the life ended runs again if it may, else it fails")
    func refusedWhileRunning() {
        var state = self.state(retries: 1, sent: 2)
        let isWaiting = state.refuse(self.refusal(1, mayHaveRun: true), canSearch: true)
        #expect(isWaiting)
        let outcome = self.carryOut(state.find(self.place(2)), &state)
        #expect(outcome == ([], ["call 0", "call 1"], []))
        #expect(state.calls[1]?.reruns == 1)
        #expect(state.calls[2]?.reruns == 1)

        var other = self.state(retries: 0, sent: 1)
        let isOtherWaiting = other.refuse(self.refusal(1, mayHaveRun: true), canSearch: true)
        #expect(!isOtherWaiting)
        #expect(other.calls.isEmpty)
    }

    @Test("a refusal that comes late, from a life before, means nothing")
    func lateRefusal() {
        var state = self.state(retries: 1, sent: 1)
        _ = state.lose(hasEnded: true, canSearch: true, reason: Self.gone)
        _ = self.carryOut(state.find(self.place(2)), &state)
        let isWaiting = state.refuse(self.refusal(1), canSearch: true)
        #expect(isWaiting)
        #expect(state.interruption == nil)
        #expect(state.calls[1]?.standing == .sent(2))
    }

    @Test("a call that cannot wait for another life fails by its refusal")
    func refusedForGood() {
        var state = self.state(retries: 0, mayRestart: false)
        _ = state.calls.keep("call", .sent(1))
        let isWaiting1 = state.refuse(self.refusal(1), canSearch: true)
        #expect(!isWaiting1)
        var other = self.state(retries: 0, sent: 1)
        let isWaiting2 = other.refuse(self.refusal(1), canSearch: false)
        #expect(!isWaiting2)
        let isWaiting3 = other.refuse(self.refusal(7), canSearch: true)
        #expect(!isWaiting3)
    }

    @Test("a call that was cancelled is not sent again")
    func cancelled() {
        var state = self.state(retries: .unlimited, sent: 2)
        state.calls[1]?.isCancelled = true
        let failed = state.lose(hasEnded: true, canSearch: true, reason: Self.gone).calls
        #expect(failed == ["call 0"])
        let outcome = self.carryOut(state.find(self.place(2)), &state)
        #expect(outcome == ([], ["call 1"], []))
    }

    @Test("only a later life, or the same one while it is looked for, is news")
    func news() {
        var state = self.state(retries: 1)
        let steps1 = state.find(self.place(1, process: 2))
        #expect(steps1 == nil)
        let steps2 = state.find(self.place(0))
        #expect(steps2 == nil)
        _ = state.end(with: Self.gone)
        let steps3 = state.find(self.place(1))
        #expect(steps3 == nil)
        let steps4 = state.find(self.place(2))
        #expect(steps4 != nil)
        #expect(state.ended == nil)
    }

    @Test("when nobody can say where the actor is, those who wait fail and others may ask again")
    func notFound() {
        var state = self.state(retries: 1, sent: 1)
        _ = state.lose(hasEnded: true, canSearch: true, reason: Self.gone)
        _ = state.calls.keep("late", .unsent)
        let failed = state.failWaiting(with: Self.silent).calls
        #expect(failed == ["call 0", "late"])
        #expect(state.interruption != nil)
        #expect(state.calls.isEmpty)
    }
}
