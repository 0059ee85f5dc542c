package import DequeModule

/// The sending half of a link: numbers messages and keeps them until the peer has acknowledged them.
///
/// A transport may lose what was under way when a connection broke. With the numbers, the receiver notices and asks
/// again, so calls arrive in order and once for as long as both processes live.
package struct LinkSender: Sendable {
    package struct Unacknowledged: Sendable {
        package var sequence: UInt64
        package var message: OutboundMessage
        package var sentAt: UInt64
    }

    package let epoch: UInt64
    package private(set) var lastSequence: UInt64 = 0
    package private(set) var unacknowledged: Deque<Unacknowledged> = []
    package private(set) var unacknowledgedBytes = 0
    private var lastProbe: UInt64 = 0

    package init(epoch: UInt64) { self.epoch = epoch }

    /// The number for the next message.
    package mutating func nextSequence() -> UInt64 {
        self.lastSequence += 1
        return self.lastSequence
    }

    /// Remembers a message until it is acknowledged. Times are nanoseconds of a clock that never goes back.
    package mutating func keep(_ message: OutboundMessage, sequence: UInt64, at now: UInt64) {
        self.unacknowledged.append(Unacknowledged(sequence: sequence, message: message, sentAt: now))
        self.unacknowledgedBytes += message.byteCount
    }

    /// Forgets what the peer has. Returns whether that was anything.
    package mutating func acknowledge(epoch: UInt64, upTo sequence: UInt64) -> Bool {
        guard epoch == self.epoch, sequence <= self.lastSequence else { return false }
        var changed = false
        while let first = self.unacknowledged.first, first.sequence <= sequence {
            self.unacknowledgedBytes -= first.message.byteCount
            self.unacknowledged.removeFirst()
            changed = true
        }
        return changed
    }

    /// Whether the peer has ever acknowledged something.
    package var hasBeenAcknowledged: Bool {
        self.lastSequence > 0 && (self.unacknowledged.first?.sequence ?? self.lastSequence + 1) > 1
    }

    /// Whether the peer should be asked what it has: something was sent more than `timeout` ago, and so was the last
    /// question.
    package mutating func shouldProbe(at now: UInt64, timeout: UInt64) -> Bool {
        guard let first = self.unacknowledged.first else { return false }
        let since = max(first.sentAt, self.lastProbe)
        guard now > since, now - since >= timeout else { return false }
        self.lastProbe = now
        return true
    }
}
