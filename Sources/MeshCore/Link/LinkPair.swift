/// The two links between this process and a peer: the one to it, and the one from it.
///
/// A process that has given its peer up, because it was silent for too long, has forgotten both. It begins a link with a
/// higher epoch, and says with every message which link from the peer it has given up, until the peer has begun another
/// one. So neither waits for messages that nobody has any more, and none that was delivered before comes again.
package struct LinkPair: Sendable {
    /// The epoch of the link to the peer.
    package let own: UInt64
    /// The epoch of the link from the peer; 0 before anything has come.
    package private(set) var theirs: UInt64 = 0
    /// Links from the peer with this epoch or a lower one have been given up.
    private let givenUp: UInt64

    package init(own: UInt64, givenUp: UInt64 = 0) {
        self.own = own
        self.givenUp = givenUp
    }

    /// In the place of an acknowledged sequence number: the link with that epoch, and all before it, are given up.
    private static let nothing = UInt64.max

    /// What a message says about the links.
    package enum Verdict: Hashable, Sendable {
        /// It belongs to the present ones, or to none.
        case current
        /// It is the first of a link from the peer; the one to it stays.
        case begun
        /// The peer has given up the link to it: both have to begin anew.
        case forgotten
        /// It belongs to a link that has been replaced.
        case stale
        /// It belongs to one that was given up, which the peer does not know yet: it has to be told.
        case givenUp
    }

    /// Judges a message by its epoch and by what it acknowledges.
    package mutating func judge(epoch: UInt64, acknowledgedEpoch: UInt64, acknowledged: UInt64) -> Verdict {
        // A greeting comes from outside of any link.
        if epoch == 0 { return .current }
        if epoch <= self.givenUp { return .givenUp }
        if epoch < self.theirs { return .stale }
        if acknowledged == Self.nothing, acknowledgedEpoch >= self.own { return .forgotten }
        if epoch == self.theirs { return .current }
        self.theirs = epoch
        return .begun
    }

    /// What to acknowledge when everything up to that number of the link from the peer is there.
    package func acknowledgement(_ lastInOrder: UInt64) -> (epoch: UInt64, sequence: UInt64) {
        if self.theirs > 0 { return (self.theirs, lastInOrder) }
        return self.givenUp > 0 ? (self.givenUp, Self.nothing) : (0, 0)
    }

    /// The epoch up to which links from the peer are given up when this pair is.
    package var lastGivenUp: UInt64 { max(self.theirs, self.givenUp) }
}
