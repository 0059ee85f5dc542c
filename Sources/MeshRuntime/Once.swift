import Synchronization

/// Tells the first who asks from all others.
package final class Once: Sendable {
    private let isTaken = Atomic<Bool>(false)

    package init() {}

    package func first() -> Bool { !self.isTaken.exchange(true, ordering: .sequentiallyConsistent) }
}
