import Synchronization

/// Until when actors of a process may begin to run calls, by its own clock: later they may have another life elsewhere,
/// which the process may not know yet.
///
/// What has run out is never prolonged. A call that was refused for that is told that the life it was meant for is
/// over, and its caller waits for the next one: were this life to go on, the caller would wait for ever.
package final class ActingPermit: Sendable {
    /// `.max` without end, 0 once it has been found to have run out.
    private let end = Atomic<UInt64>(.max)

    /// One without end, until it is prolonged for the first time.
    package init() {}

    /// Whether a call may begin to run. Once the answer was no it is no for ever.
    ///
    /// - Parameter clock: tells what time it is.
    package func isValid(by clock: () -> UInt64) -> Bool {
        var end = self.end.load(ordering: .relaxed)
        while end != .max {
            if end != 0, clock() < end { return true }
            let (wasStill, now) = self.end.compareExchange(expected: end, desired: 0, ordering: .relaxed)
            if wasStill { return false }
            // It was prolonged in the meantime.
            end = now
        }
        return true
    }

    /// It ends later than was thought, or sooner. Returns false, and changes nothing, when it has run out.
    ///
    /// - Parameters:
    ///   - newEnd: `.max`: it has no end.
    ///   - clock: tells what time it is.
    package func prolong(to newEnd: UInt64, by clock: () -> UInt64) -> Bool {
        var end = self.end.load(ordering: .relaxed)
        while true {
            guard end == .max || (end != 0 && clock() < end) else {
                self.end.store(0, ordering: .relaxed)
                return false
            }
            let (wasStill, now) = self.end.compareExchange(expected: end, desired: newEnd, ordering: .relaxed)
            if wasStill { return true }
            end = now
        }
    }
}
