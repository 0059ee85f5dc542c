import CMeshPlatform
import DequeModule
package import MeshCore
import Synchronization

/// What happens when the way to the actor is lost, and when it is found again.
extension ActorReference {
    /// A process is gone or out of reach; this concerns the actor if that is where it was.
    ///
    /// - Parameter hasEnded: whether it is gone for good.
    func lose(at peer: PeerID, hasEnded: Bool, because reason: MeshError) {
        self.change { state, effects in
            guard state.route.location.address.peer == peer else { return }
            self.lose(&state, &effects, hasEnded: hasEnded, reason: reason)
        }
    }

    private func lose(
        _ state: inout State, _ effects: inout ReferenceEffects, hasEnded: Bool, reason: MeshError
    ) {
        state.peer = nil
        self.fail(
            state.route.lose(hasEnded: hasEnded, canSearch: self.canSearch, reason: reason), &state, &effects)
        state.window.writeOffTells()
        for sequence in state.route.calls.sequences {
            guard let entry = state.route.calls[sequence], entry.isWaiting, !entry.call.isOneWay else { continue }
            // From now on its fate is decided here, and not with that of the other calls to that process.
            if self.mesh.pending.expect(entry.call.number, from: nil) == nil { state.route.calls.remove(sequence) }
        }
        self.inquire(&state, &effects)
        self.settle(&state, &effects)
    }

    /// The actor is out of reach, and no call waits for it to be found: asks all the same whether it has ended for good.
    /// Whoever ends where nobody reaches him is known to have ended by the broker alone, and each call would wait for
    /// him anew.
    private func inquire(_ state: inout State, _ effects: inout ReferenceEffects) {
        guard case .connected = state.route.phase, state.inquiry == nil, self.canSearch, !self.id.isReserved,
            state.route.location.incarnation > 0
        else { return }
        let inquiry = ActorSearch(
            actor: self.id, incarnation: state.route.location.incarnation, hasEnded: false)
        state.inquiry = inquiry
        effects.inquiry = inquiry
    }

    /// Sending failed. Returns false when that is not because the actor's process is gone or out of reach.
    func noteFailure(_ state: inout State, _ effects: inout ReferenceEffects) -> Bool {
        if let gone = self.mesh.peers.ended(state.route.location.address.peer) {
            self.lose(&state, &effects, hasEnded: true, reason: gone)
        } else if let failure = state.peer?.failure {
            self.lose(&state, &effects, hasEnded: false, reason: failure)
        } else if let ended = self.deadProcess(state) {
            self.lose(&state, &effects, hasEnded: true, reason: ended)
        } else {
            return false
        }
        return true
    }

    /// The actor's process says of a call that the life of the actor that it was meant for is over, or not there. Returns
    /// false when the call fails by that.
    func refuse(_ refusal: CallRefusal, callID: UInt64, from peer: PeerID) -> Bool {
        self.change { state, effects in
            guard let entry = state.route.calls[refusal.sequence],
                self.mesh.pending.callID(of: entry.call.number) == callID,
                state.route.refuse(refusal, canSearch: self.canSearch)
            else { return false }
            self.mesh.pending.expect(entry.call.number, from: nil)
            self.settle(&state, &effects)
            return true
        }
    }

    /// The actor's process says that this life of it is over.
    func end(_ ended: EndedEnvelope, at peer: PeerID) {
        self.change { state, effects in
            guard state.route.location.address.peer == peer, state.route.location.incarnation == ended.incarnation
            else { return }
            let reason = MeshError(.actorDied, ended.reason)
            self.fail(state.route.noteEnd(canSearch: self.canSearch, reason: reason), &state, &effects)
            self.settle(&state, &effects)
        }
    }

    /// The actor has ended for good: calls fail from now on.
    package func end(with error: MeshError) {
        self.change { state, effects in
            self.fail(state.route.end(with: error), &state, &effects)
            self.settle(&state, &effects)
        }
    }

    /// Somebody who passed on a handle knows where the actor is.
    func update(_ location: ActorLocation) {
        guard location.incarnation > self.location.incarnation else { return }
        self.change { state, effects in self.find(location, &state, &effects) }
    }

    // MARK: Searching

    private var canSearch: Bool { self.mesh.directory.withLock { $0 != nil } }

    /// Begins to look for the actor, unless somebody does already or nothing waits for it.
    func search(_ state: inout State, _ effects: inout ReferenceEffects) {
        guard state.search == nil, let interruption = state.route.interruption, !state.route.calls.isEmpty else {
            return
        }
        let search = ActorSearch(
            actor: self.id, incarnation: state.route.location.incarnation, hasEnded: interruption.hasEnded)
        state.search = search
        effects.search = search
    }

    /// A search has succeeded. Another one may have taken its place.
    func found(_ location: ActorLocation, by search: ActorSearch) {
        self.change { state, effects in
            if state.inquiry === search {
                state.inquiry = nil
            } else {
                guard state.search === search else { return }
                state.search = nil
            }
            self.find(location, &state, &effects)
        }
    }

    /// A search has failed.
    func notFound(_ error: MeshError, by search: ActorSearch) {
        self.change { state, effects in
            if state.inquiry === search {
                state.inquiry = nil
                // Otherwise the next call tries again.
                guard error.code == .actorDied else { return }
            } else {
                guard state.search === search else { return }
                state.search = nil
            }
            let failed =
                error.code == .actorDied
                ? state.route.end(with: error) : state.route.failWaiting(with: error)
            self.fail(failed, &state, &effects)
            self.settle(&state, &effects)
        }
    }

    /// The actor is there: sends what waits, in order, before anybody can send more.
    private func find(_ location: ActorLocation, _ state: inout State, _ effects: inout ReferenceEffects) {
        let incarnation = state.route.location.incarnation
        guard let steps = state.route.find(location) else { return self.settle(&state, &effects) }
        state.peer = nil
        if location.incarnation != incarnation { state.window.writeOffTells() }
        do throws(MeshError) {
            try self.connect(&state)
            for (sequence, step) in steps { try self.take(step, sequence, &state, &effects) }
        } catch {
            if !self.noteFailure(&state, &effects) {
                self.fail(state.route.failWaiting(with: error), &state, &effects)
            }
        }
        self.settle(&state, &effects)
    }

    private func take(
        _ step: ReferenceState<OutgoingCall>.Step, _ sequence: UInt64, _ state: inout State,
        _ effects: inout ReferenceEffects
    ) throws(MeshError) {
        guard let call = state.route.calls[sequence]?.call else { return }
        let peer = state.route.location.address.peer
        var callID: UInt64? = 0
        switch step {
        case .fail(let error):
            state.route.calls.remove(sequence)
            return effects.failed.append((call, error))
        case .send: if !call.isOneWay { callID = self.mesh.pending.expect(call.number, from: peer) }
        case .sendAnew: if !call.isOneWay { callID = self.mesh.pending.renew(call.number, from: peer) }
        }
        if call.isOneWay, call.deadline > 0, cmesh_monotonic_nanoseconds() >= call.deadline {
            state.route.calls.remove(sequence)
            state.window.release(isOneWay: true, bytes: call.largeBytes)
            return
        }
        // Its outcome may have come after all, or it was given up.
        guard let callID else {
            state.route.calls.remove(sequence)
            return
        }
        do throws(MeshError) {
            try self.post(call, callID: callID, sequence: sequence, &state)
        } catch {
            if state.peer?.failure != nil { throw error }
            // It is this call that cannot be sent, as one with too many handles.
            state.route.calls.remove(sequence)
            return self.fail(ReferenceState.Failed(calls: [call], error: error), &state, &effects)
        }
        if call.isOneWay { state.route.calls.remove(sequence) } else { state.route.noteSent(sequence) }
    }

    // MARK: Cancelling

    /// Ends a call that waits for the actor to be found. Returns false when it is not there: its outcome is still to
    /// come from where it was sent.
    func cancelWaiting(_ call: OutgoingCall) -> Bool {
        self.change { state, effects in
            let calls = state.route.calls
            guard let sequence = calls.sequences.first(where: { calls[$0]?.call.number == call.number }),
                let entry = calls[sequence]
            else { return false }
            guard entry.isWaiting else {
                state.route.calls[sequence]?.isCancelled = true
                return false
            }
            state.route.calls.remove(sequence)
            let mayHaveRun = if case .lost = entry.standing { true } else { false }
            let words = mayHaveRun ? "may or may not have run" : "has not run"
            effects.failed.append(
                (call, MeshError(.cancelled, "It was cancelled while its actor was looked for; it \(words).")))
            return true
        }
    }

    // MARK: Effects

    /// Changes the state under the lock, and tells others when it is free.
    private func change<Result>(_ body: (inout State, inout ReferenceEffects) -> Result) -> Result {
        var effects = ReferenceEffects()
        let result = self.state.withLock { body(&$0, &effects) }
        self.run(effects)
        return result
    }

    /// Does what follows from the phase: looks for the actor while calls wait, serves those for whom there is room.
    private func settle(_ state: inout State, _ effects: inout ReferenceEffects) {
        if case .interrupted = state.route.phase {
            self.search(&state, &effects)
        } else if let search = state.search {
            effects.abandoned = search
            state.search = nil
        }
        if state.route.ended != nil {
            effects.refused = state.waiters
            state.waiters = []
        } else {
            effects.granted += self.grant(&state)
        }
        guard !state.departures.isEmpty, !Self.keepsMessages(state) else { return }
        effects.departed += state.departures
        state.departures = []
    }

    /// Calls `action` when no one-way message waits any more for the actor to be found. Returns false, and does not call
    /// it, when that is so already.
    func whenDeparted(_ action: @escaping @Sendable () -> Void) -> Bool {
        self.state.withLock { state in
            guard Self.keepsMessages(state) else { return false }
            state.departures.append(action)
            return true
        }
    }

    private static func keepsMessages(_ state: State) -> Bool {
        let calls = state.route.calls
        return calls.sequences.contains { calls[$0]?.call.isOneWay == true }
    }

    /// Notes calls that fail. Nobody waits for one-way messages; they only give back their room.
    private func fail(
        _ failed: ReferenceState<OutgoingCall>.Failed, _ state: inout State, _ effects: inout ReferenceEffects
    ) {
        for call in failed.calls {
            if call.isOneWay {
                state.window.release(isOneWay: true, bytes: call.largeBytes)
            } else {
                effects.failed.append((call, failed.error))
            }
        }
    }

    func run(_ effects: ReferenceEffects) {
        for (call, error) in effects.failed { self.mesh.pending.complete(call.number, with: .broken(error)) }
        for waiter in effects.granted { waiter.continuation?.resume(returning: true) }
        for waiter in effects.refused { waiter.continuation?.resume(returning: false) }
        for action in effects.departed { action() }
        effects.abandoned?.cancel()
        if let search = effects.search { search.start(for: self) }
        if let inquiry = effects.inquiry { inquiry.start(for: self) }
    }
}

/// What is to be done once the reference's lock is free: those who are told may come back to the reference.
struct ReferenceEffects {
    var failed: [(call: OutgoingCall, error: MeshError)] = []
    var granted: [AdmissionWaiter] = []
    var refused: Deque<AdmissionWaiter> = []
    var departed: [@Sendable () -> Void] = []
    var search: ActorSearch?
    var inquiry: ActorSearch?
    var abandoned: ActorSearch?
}
