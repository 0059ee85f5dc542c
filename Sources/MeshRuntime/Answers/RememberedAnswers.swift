import DequeModule
import FoundationEssentials
import MeshCore

/// What one actor remembers of calls that may be sent again (C4): which have come and not been answered, and the
/// answers that their callers may not have. A value without clocks; times are nanoseconds of one that runs steadily.
///
/// Of each caller there is a floor: what has a lower number has come before and is forgotten, so it must not run, but
/// cannot be answered either. It rises when the caller says which answers it has, and when an answer is dropped for
/// want of room. A caller that is gone is forgotten after a while, not at once: only the way to it may have broken.
struct RememberedAnswers: Sendable {
    /// How much may be remembered.
    struct Limits: Sendable {
        /// Bytes of all answers together.
        var bytes = 16 << 20
        /// Callers, but for those that have calls open.
        var callers = 1024
        /// For how many nanoseconds a caller is remembered that is gone.
        var retention: UInt64 = 600_000_000_000
    }

    /// What is known of a call that has come.
    enum Arrival {
        /// It is the first time: it may run.
        case new
        /// It waits or runs; whoever asked last gets the answer.
        case open
        /// It has run, and this is what became of it.
        case answered(CallAnswer)
        /// It has come before, and what became of it is forgotten.
        case forgotten
    }

    private(set) var callers: [PeerID: CallerAnswers] = [:]
    /// Answers in the order in which they were given, the oldest first; some are gone since.
    private var order: Deque<(caller: PeerID, sequence: UInt64)> = []
    /// How many answers it has.
    private(set) var answerCount = 0
    /// How many bytes they take, about.
    private(set) var byteCount = 0
    /// How many callers are gone.
    private var goneCount = 0
    private let limits: Limits

    init(limits: Limits = Limits()) { self.limits = limits }

    /// What an earlier life of the actor remembered. Its callers count as gone until they are heard of.
    ///
    /// - Parameter now: nanoseconds of a steady clock.
    init(_ callers: [(peer: PeerID, answers: CallerAnswers)], limits: Limits, now: UInt64) {
        self.init(limits: limits)
        for (peer, answers) in callers.suffix(limits.callers) where self.callers[peer] == nil {
            var answers = answers
            answers.goneSince = now
            self.callers[peer] = answers
            self.goneCount += 1
            self.answerCount += answers.total.answers
            self.byteCount += answers.total.bytes
            self.order.append(contentsOf: answers.sequences.map { (peer, $0) })
        }
        self.makeRoomForBytes()
    }

    /// How many open calls have come more than once.
    var repeatedCount: Int { self.callers.values.reduce(0) { $0 + $1.repeatedCount } }

    /// How many callers it knows.
    var callerCount: Int { self.callers.count }

    // MARK: Calls come and end

    /// Looks a call up. One that is new is open from now on, and one that is open will be answered to this asker.
    ///
    /// - Parameter answeredBelow: the caller has all answers with lower numbers, so they are forgotten.
    mutating func arrive(_ call: InboundCall, from caller: PeerID, answeredBelow: UInt64, now: UInt64) -> Arrival {
        self.forgetGone(now: now)
        if self.callers[caller] == nil {
            self.makeRoomForCaller()
            self.callers[caller] = CallerAnswers()
        }
        guard let place = self.callers.index(forKey: caller) else { return .new }
        if self.callers.values[place].hasComeBack(now: now) { self.goneCount -= 1 }
        self.note(self.callers.values[place].raiseFloor(to: answeredBelow))
        self.trimOrder()
        return self.callers.values[place].arrive(call)
    }

    /// Keeps the answer of an open call. Returns who asked for it last; nil when nothing is known of it.
    ///
    /// - Parameter stored: the answer as it is stored with the state of a persistent actor.
    mutating func conclude(
        _ call: InboundCall, from caller: PeerID, with answer: CallAnswer, stored: Data = Data()
    ) -> InboundCall? {
        guard let place = self.callers.index(forKey: caller),
            let conclusion = self.callers.values[place].conclude(call.sequence, with: answer, stored: stored)
        else { return nil }
        if conclusion.isKept {
            self.answerCount += 1
            self.byteCount += answer.byteCount
            self.order.append((caller, call.sequence))
            self.makeRoomForBytes()
        }
        return conclusion.latest
    }

    /// Forgets an open call that will not run: should it come again, it is new.
    mutating func drop(_ call: InboundCall, from caller: PeerID) {
        guard let place = self.callers.index(forKey: caller) else { return }
        self.callers.values[place].drop(call.sequence)
    }

    /// Who asked last for the answer of an open call.
    func asker(of call: InboundCall, from caller: PeerID) -> InboundCall {
        self.callers[caller]?.asker(of: call.sequence) ?? call
    }

    /// The name by which an open call came first, when it came again by this one.
    func original(of key: CallKey, from caller: PeerID) -> CallKey? { self.callers[caller]?.original(of: key) }

    // MARK: Forgetting

    /// A calling process is gone, or the way to it.
    mutating func callerIsGone(_ caller: PeerID, now: UInt64) {
        self.forgetGone(now: now)
        guard let place = self.callers.index(forKey: caller), self.callers.values[place].goneSince == nil
        else { return }
        self.callers.values[place].goneSince = now
        self.goneCount += 1
    }

    private mutating func forgetGone(now: UInt64) {
        guard self.goneCount > 0 else { return }
        let limit = self.limits.retention
        for (caller, known) in self.callers {
            if let since = known.goneSince, now > since, now - since > limit { self.forget(caller) }
        }
    }

    private mutating func makeRoomForCaller() {
        guard self.callers.count >= self.limits.callers else { return }
        // Those that are gone first, then those that were heard of longest ago. Rare, so a search will do.
        let idle = self.callers.filter { !$0.value.hasOpen }
        let victim = idle.min { one, other in
            (one.value.goneSince == nil ? 1 : 0, one.value.lastUse)
                < (other.value.goneSince == nil ? 1 : 0, other.value.lastUse)
        }
        if let victim { self.forget(victim.key) }
    }

    private mutating func forget(_ caller: PeerID) {
        guard let known = self.callers.removeValue(forKey: caller) else { return }
        if known.goneSince != nil { self.goneCount -= 1 }
        self.note(known.total)
        self.trimOrder()
    }

    private mutating func makeRoomForBytes() {
        while self.byteCount > self.limits.bytes, let oldest = self.order.popFirst() {
            guard let place = self.callers.index(forKey: oldest.caller) else { continue }
            self.note(self.callers.values[place].forget(oldest.sequence))
        }
    }

    private mutating func note(_ forgotten: CallerAnswers.Size) {
        self.answerCount -= forgotten.answers
        self.byteCount -= forgotten.bytes
    }

    /// Drops what the order says of answers that are gone, before that outgrows those that are there.
    private mutating func trimOrder() {
        guard self.order.count > 64, self.order.count > 2 * self.answerCount else { return }
        self.order.removeAll { self.callers[$0.caller]?.hasAnswer($0.sequence) != true }
    }
}
