/// How long a peer has been silent although it was asked. A value; times are nanoseconds of one clock.
///
/// What counts is the time that passes while this process looks: should it have been stopped itself, all peers would
/// seem to have been silent.
struct PeerSilence: Sendable {
    private var lastHeard: UInt64
    private var lastAsked: UInt64 = 0
    private var lastTick: UInt64
    private var counted: UInt64 = 0
    private var unanswered = 0

    /// So many questions must be unanswered before silence means anything.
    private static let patience = 3
    /// The time between two ticks counts for no more, or for the heartbeat if that is longer.
    private static let longestTick: UInt64 = 4 * PeerClock.interval

    init(now: UInt64) {
        self.lastHeard = now
        self.lastTick = now
    }

    /// Something has come.
    mutating func heard(at now: UInt64) {
        self.lastHeard = now
        self.counted = 0
        self.unanswered = 0
    }

    /// Time passes. Returns whether to ask the peer now whether it lives.
    ///
    /// - Parameters:
    ///   - isAwaited: whether somebody waits for the peer.
    ///   - heartbeat: how long it may be silent then before it is asked.
    ///   - isAsked: whether it is asked anyway.
    mutating func tick(now: UInt64, isAwaited: Bool, heartbeat: UInt64, isAsked: Bool) -> Bool {
        let passed = now > self.lastTick ? now - self.lastTick : 0
        self.lastTick = now
        guard isAwaited else {
            self.counted = 0
            self.unanswered = 0
            return isAsked
        }
        self.counted += min(passed, max(Self.longestTick, heartbeat))
        let since = max(self.lastHeard, self.lastAsked)
        guard isAsked || now >= since + heartbeat else { return false }
        self.lastAsked = now
        self.unanswered += 1
        return true
    }

    /// When to tick again while somebody waits.
    func nextTick(after now: UInt64, heartbeat: UInt64) -> UInt64 {
        let soon = now + PeerClock.interval
        return self.unanswered > 0 ? soon : max(soon, max(self.lastHeard, self.lastAsked) + heartbeat)
    }

    /// For how long it has been silent; 0 until it was asked several times.
    var length: UInt64 { self.unanswered >= Self.patience ? self.counted : 0 }
}
