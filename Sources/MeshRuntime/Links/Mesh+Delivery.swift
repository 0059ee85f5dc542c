import CMeshPlatform
import MeshCore
import Synchronization

/// What this process has told others, one-way, and what of it has not arrived.
extension Mesh {
    /// Returns when every one-way message that was accepted by now has arrived in the process of its actor, or is lost
    /// because that has ended or cannot be reached; at the latest after a time. Calls are no concern of this: whoever
    /// made one waits for it.
    ///
    /// Called by who ends this process in good order, so that what its code published last is not lost with it.
    package func waitForDelivery(atMost limit: Duration) async {
        await waitForCallback(atMost: limit.nanoseconds, on: self) { self.whenDelivered($0) }
    }

    private func whenDelivered(_ action: @escaping @Sendable () -> Void) {
        let departures = Countdown { self.whenAcknowledged(action) }
        for reference in self.references.all {
            departures.add { reference.whenDeparted($0) }
        }
        departures.done()
    }

    private func whenAcknowledged(_ action: @escaping @Sendable () -> Void) {
        let arrivals = Countdown(action)
        for peer in self.peers.all {
            peer.hasten()
            arrivals.add { peer.whenAcknowledged($0) }
        }
        arrivals.done()
    }
}

/// Does something once, when several others have been done.
private final class Countdown: Sendable {
    /// One more than are under way, until all have been added.
    private let left = Atomic<Int>(1)
    private let action: @Sendable () -> Void

    init(_ action: @escaping @Sendable () -> Void) { self.action = action }

    /// - Parameter start: begins something that calls back when it has been done; returns false, and does not, when it
    ///   has been already.
    func add(_ start: (@escaping @Sendable () -> Void) -> Bool) {
        self.left.wrappingAdd(1, ordering: .relaxed)
        if !start({ self.done() }) { self.done() }
    }

    func done() {
        if self.left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { self.action() }
    }
}

/// Waits until something calls back, but not longer than a time in nanoseconds.
package func waitForCallback(
    atMost limit: UInt64, on mesh: Mesh, for start: (@escaping @Sendable () -> Void) -> Void
) async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let once = Once()
        let alarm = mesh.schedule(at: cmesh_monotonic_nanoseconds() + limit) {
            if once.first() { continuation.resume() }
        }
        start {
            mesh.timers.cancel(alarm)
            if once.first() { continuation.resume() }
        }
    }
}
