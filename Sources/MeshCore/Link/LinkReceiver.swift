/// The receiving half of a link: lets each message through once and in order.
package struct LinkReceiver: Sendable {
    /// What to do with a message.
    package enum Verdict: Hashable, Sendable {
        /// It is the next one.
        case deliver
        /// It has been here before; acknowledge it again.
        case duplicate
        /// One before it is missing; ask for it and drop this one.
        case gap
        /// It belongs to a link that was replaced; drop it.
        case stale
    }

    package private(set) var epoch: UInt64 = 0
    package private(set) var lastInOrder: UInt64 = 0
    package private(set) var lastAcknowledged: UInt64 = 0
    private var unacknowledgedBytes = 0
    private var askedAgainAt: UInt64?

    /// A message of so many bytes may stay unacknowledged before an acknowledgement is due at once.
    private static let bytesBeforeAcknowledging = 1 << 20
    private static let messagesBeforeAcknowledging: UInt64 = 64

    /// - Parameter epoch: that of the link; 0 when it is not known yet.
    package init(epoch: UInt64 = 0) { self.epoch = epoch }

    /// Judges a message by its numbers. A new epoch begins a new link.
    package mutating func receive(epoch: UInt64, sequence: UInt64, byteCount: Int) -> Verdict {
        if epoch > self.epoch {
            self = LinkReceiver(epoch: epoch)
        }
        guard epoch == self.epoch else { return .stale }
        guard sequence > self.lastInOrder else { return .duplicate }
        guard sequence == self.lastInOrder + 1 else { return .gap }
        self.lastInOrder = sequence
        self.askedAgainAt = nil
        self.unacknowledgedBytes += byteCount
        return .deliver
    }

    /// Whether to ask for what is missing: once for each gap, and again every `interval` nanoseconds.
    package mutating func shouldAskAgain(at now: UInt64, interval: UInt64) -> Bool {
        if let asked = self.askedAgainAt, now < asked + interval { return false }
        self.askedAgainAt = now
        return true
    }

    /// Whether the sender has something to forget.
    package var owesAcknowledgement: Bool { self.lastInOrder > self.lastAcknowledged }

    /// Whether to tell it now instead of with the next message that goes its way.
    package var owesAcknowledgementNow: Bool {
        self.lastInOrder - self.lastAcknowledged >= Self.messagesBeforeAcknowledging
            || self.unacknowledgedBytes >= Self.bytesBeforeAcknowledging
    }

    /// Notes that a message with `lastInOrder` goes out.
    package mutating func acknowledged() {
        self.lastAcknowledged = self.lastInOrder
        self.unacknowledgedBytes = 0
    }
}
