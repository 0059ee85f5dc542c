import MeshCore

/// What a process knows of the whereabouts of one actor, and what becomes of the calls to it when the way is lost and
/// found again. A value without sockets, clocks or tasks.
///
/// A call that was never sent, or that is known not to have run, waits and goes to whichever life is found. One that may
/// have run goes to a later life only while it has retries left, and to the same life, which knows it by its sequence
/// number, as often as it takes. All keep their numbers and are sent in the order of those, before any later call.
struct ReferenceState<Call: Sendable>: Sendable {
    enum Phase: Sendable {
        /// Calls go to `location`. To `interrupted`, `ended`.
        case connected
        /// Calls wait until the actor has been found. To `connected`, `ended`.
        case interrupted(Interruption)
        /// Calls fail. To `connected` only when a later life is heard of.
        case ended(MeshError)
    }

    /// Why calls wait.
    struct Interruption: Hashable, Sendable {
        /// Names it among the interruptions of this reference.
        var number: UInt64
        /// Whether the life at `location` is known to be over, as opposed to being out of reach.
        var hasEnded: Bool
        /// Of the calls that are at `location`, those from this number on have not run: an earlier one was refused.
        var refusedFrom: UInt64
    }

    /// How often one call may run again in a later life of the actor.
    let retries: Limit
    /// Whether there may be a later life.
    let mayRestart: Bool
    private(set) var location: ActorLocation
    private(set) var phase = Phase.connected
    var calls: KeptCalls<Call>
    private var interruptions: UInt64 = 0

    /// - Parameter firstNumber: that of the first call.
    init(location: ActorLocation, retries: Limit, mayRestart: Bool, firstNumber: UInt64 = 1) {
        self.location = location
        self.retries = retries
        self.mayRestart = mayRestart
        self.calls = KeptCalls(first: firstNumber)
    }

    /// Whether calls are kept until their outcome is known, because they may have to be sent again.
    var keepsCalls: Bool { self.mayRestart || self.retries != 0 }

    /// The error that calls fail with, once the actor has ended.
    var ended: MeshError? { if case .ended(let error) = self.phase { error } else { nil } }

    var interruption: Interruption? {
        if case .interrupted(let interruption) = self.phase { interruption } else { nil }
    }

    // MARK: The way is lost

    /// Calls that have ended, with the error that they fail with.
    struct Failed: Sendable {
        var calls: [Call] = []
        var error: MeshError
    }

    /// The process at `location` is gone or out of reach.
    ///
    /// - Parameters:
    ///   - hasEnded: whether that life is known to be over.
    ///   - canSearch: whether there is somebody to ask where the actor is.
    ///   - reason: what happened.
    mutating func lose(hasEnded: Bool, canSearch: Bool, reason: MeshError) -> Failed {
        if self.ended != nil { return Failed(error: reason) }
        guard canSearch, hasEnded ? self.mayRestart : self.keepsCalls else {
            if hasEnded { return self.end(with: reason) }
            // It may live: the next call tries again.
            self.phase = .connected
            return Failed(calls: self.calls.removeAll(), error: Self.unavailable(reason))
        }
        let refusedFrom = self.interruption?.refusedFrom ?? .max
        var failed = Failed(error: Self.unavailable(reason))
        for sequence in self.calls.sequences {
            guard var entry = self.calls[sequence] else { continue }
            switch entry.standing {
            case .unsent, .refused: continue
            case .sent(let life) where sequence >= refusedFrom: entry.standing = .refused(life)
            case .sent(let life), .lost(let life):
                guard self.retries != 0, !entry.isCancelled, !hasEnded || self.mayRerun(entry) else {
                    self.calls[sequence] = nil
                    failed.calls.append(entry.call)
                    continue
                }
                entry.standing = .lost(life)
            }
            self.calls[sequence] = entry
        }
        self.interrupt(hasEnded: hasEnded, refusedFrom: .max)
        return failed
    }

    /// A process says of a call that the life it was meant for is over, or not there. Returns false when the call cannot
    /// wait for another life: it fails.
    mutating func refuse(_ refusal: CallRefusal, canSearch: Bool) -> Bool {
        guard self.mayRestart, canSearch, self.ended == nil, var entry = self.calls[refusal.sequence] else {
            return false
        }
        switch entry.standing {
        case .sent(refusal.incarnation), .lost(refusal.incarnation): break
        default: return true
        }
        if !refusal.mayHaveRun {
            entry.standing = .refused(refusal.incarnation)
        } else if self.mayRerun(entry), !entry.isCancelled {
            entry.standing = .lost(refusal.incarnation)
        } else {
            self.calls[refusal.sequence] = nil
            return false
        }
        self.calls[refusal.sequence] = entry
        if self.location.incarnation == refusal.incarnation {
            self.interrupt(hasEnded: true, refusedFrom: refusal.mayHaveRun ? .max : refusal.sequence)
        }
        return true
    }

    /// The process at `location` says that the life there is over. Calls that are there have their own answers.
    mutating func noteEnd(canSearch: Bool, reason: MeshError) -> Failed {
        guard self.mayRestart, canSearch else { return self.end(with: reason) }
        if self.ended == nil { self.interrupt(hasEnded: true, refusedFrom: .max) }
        return Failed(error: reason)
    }

    private mutating func interrupt(hasEnded: Bool, refusedFrom: UInt64) {
        if case .interrupted(var interruption) = self.phase {
            interruption.hasEnded = interruption.hasEnded || hasEnded
            interruption.refusedFrom = min(interruption.refusedFrom, refusedFrom)
            self.phase = .interrupted(interruption)
        } else {
            self.interruptions += 1
            self.phase = .interrupted(
                Interruption(number: self.interruptions, hasEnded: hasEnded, refusedFrom: refusedFrom))
        }
    }

    /// The actor has ended for good. Returns the calls that waited for it; those that are at it have their own answers,
    /// or share the fate of its process.
    mutating func end(with error: MeshError) -> Failed {
        if self.ended == nil { self.phase = .ended(error) }
        let failed = self.failWaiting(with: self.ended ?? error)
        _ = self.calls.removeAll()
        return failed
    }

    /// The search for the actor failed: those that wait fail, the next call begins another.
    mutating func failWaiting(with error: MeshError) -> Failed {
        var failed = Failed(error: error)
        for sequence in self.calls.sequences {
            guard let entry = self.calls[sequence], entry.isWaiting else { continue }
            failed.calls.append(entry.call)
            self.calls[sequence] = nil
        }
        return failed
    }

    // MARK: The way is found

    /// What to do with a kept call when the actor has been found.
    enum Step: Hashable {
        /// Send it as the call that it was: it never left, or it goes to the same life again.
        case send
        /// Send it under a new call ID, so that nothing that an older life may still answer is taken for its outcome.
        case sendAnew
        /// It may have run and must not run again.
        case fail(MeshError)
    }

    /// The actor is there: calls go there from now on. Returns what to do with the kept calls that are nowhere, in
    /// order; nil when this is nothing new.
    mutating func find(_ found: ActorLocation) -> [(sequence: UInt64, step: Step)]? {
        guard found.incarnation >= self.location.incarnation else { return nil }
        let isSameLife = found.incarnation == self.location.incarnation
        if isSameLife, self.interruption == nil { return nil }
        if !isSameLife { self.leaveLife(refusedFrom: self.interruption?.refusedFrom ?? .max) }
        self.location = found
        self.phase = .connected
        return self.calls.sequences.compactMap { sequence in
            guard let entry = self.calls[sequence] else { return nil }
            switch entry.standing {
            case .sent: return nil
            case .unsent: return (sequence, .send)
            case .refused: return (sequence, .sendAnew)
            case .lost(let life):
                if life == found.incarnation { return (sequence, .send) }
                if self.mayRerun(entry) { return (sequence, .sendAnew) }
                let reason = MeshError(.actorUnavailable, "The actor has been started again.")
                return (sequence, .fail(Self.unavailable(reason)))
            }
        }
    }

    /// The calls that are at a life which is over wait for the next one, or for their answer if they must not run again.
    private mutating func leaveLife(refusedFrom: UInt64) {
        for sequence in self.calls.sequences {
            guard var entry = self.calls[sequence], case .sent(let life) = entry.standing else { continue }
            if sequence >= refusedFrom {
                entry.standing = .refused(life)
            } else if self.mayRerun(entry), !entry.isCancelled {
                entry.standing = .lost(life)
            } else {
                self.calls[sequence] = nil
                continue
            }
            self.calls[sequence] = entry
        }
    }

    /// A kept call has been sent to `location`.
    mutating func noteSent(_ sequence: UInt64) {
        guard var entry = self.calls[sequence] else { return }
        if case .lost(let life) = entry.standing, life != self.location.incarnation { entry.reruns += 1 }
        entry.standing = .sent(self.location.incarnation)
        self.calls[sequence] = entry
    }

    private func mayRerun(_ entry: KeptCalls<Call>.Entry) -> Bool {
        guard let limit = self.retries.count else { return true }
        return entry.reruns < limit
    }

    private static func unavailable(_ reason: MeshError) -> MeshError {
        let words = "may or may not have run"
        let message = reason.message.contains(words) ? reason.message : "\(reason.message) The call \(words)."
        return MeshError(.actorUnavailable, message, cause: reason.cause)
    }
}
