/// Until when a process may act as a member without having heard from whoever granted that. A value without a clock.
///
/// Times are nanoseconds of the process's own clock. A lease counts from when its renewal was *asked for*, and the
/// grantor's from when it *answered*, so that the holder's always ends first: whoever took over in the meantime is never
/// beside it.
package struct MemberLease: Hashable, Sendable {
    /// When it runs out; nil for one that does not.
    package private(set) var end: UInt64?
    /// Whether the loss has been told.
    private var isLost = false

    /// A lease that does not run out, until it is renewed for the first time.
    package init() {}

    /// It was granted again, for so long.
    package mutating func renewed(askedAt time: UInt64, for duration: UInt64) {
        let end = time.addingReportingOverflow(duration)
        self.end = end.overflow ? nil : end.partialValue
        self.isLost = false
    }

    /// The grantor is known to have ended, so that nobody can take over: the holder goes on for a while.
    package mutating func grantorEnded(at time: UInt64, wait duration: UInt64) {
        guard !self.isLost else { return }
        let end = time.addingReportingOverflow(duration)
        self.end = end.overflow ? nil : max(self.end ?? 0, end.partialValue)
    }

    /// How long it still is; nil without end.
    package func remaining(at now: UInt64) -> UInt64? { self.end.map { $0 > now ? $0 - now : 0 } }

    /// Whether it has run out; true only the first time that this is asked.
    package mutating func isNewlyLost(at now: UInt64) -> Bool {
        guard !self.isLost, let end, now >= end else { return false }
        self.isLost = true
        return true
    }
}
