import MeshCore
import Synchronization

/// One lease for each actor that this process holds, and what the broker knows of it.
///
/// Handles go anywhere, also inside of somebody's lock. So the end of a lease only notes it here, under a lock inside of
/// which nothing else happens; what follows from it is done by a task of its own.
package final class LeaseTable: Sendable {
    private struct Entry {
        weak var lease: HandleLease?
        var number: UInt64
    }

    /// A hold that is to be given back as soon as what was sent to the actor has arrived.
    struct Draining: Sendable {
        var actor: UniqueID
        var number: UInt64
        var reference: ActorReference
    }

    private struct State {
        var leases: [UniqueID: Entry] = [:]
        var holds = Holds()
        var nextNumber: UInt64 = 1
        var draining: [Draining] = []
        /// Which lease of an actor was the last, while what was sent through it has not arrived.
        var ended: [UniqueID: UInt64] = [:]
        /// Whether a task is on its way that does what has to be done.
        var isAwake = false
        var isReporting = false
    }

    private let state = Mutex(State())

    package init() {}

    // MARK: Leases come and go

    /// The lease of an actor: the one that there is, or a new one.
    ///
    /// - Parameter isGranted: whether the broker has counted this process for it already.
    func lease(for actor: UniqueID, isGranted: Bool, on mesh: Mesh) -> HandleLease {
        self.state.withLock { Self.lease(for: actor, isGranted: isGranted, on: mesh, &$0) }
    }

    private static func lease(
        for actor: UniqueID, isGranted: Bool, on mesh: Mesh, _ state: inout State
    ) -> HandleLease {
        let lease: HandleLease
        if let known = state.leases[actor]?.lease {
            lease = known
        } else {
            lease = HandleLease(actor: actor, number: state.nextNumber, mesh: mesh)
            state.leases[actor] = Entry(lease: lease, number: state.nextNumber)
            state.nextNumber += 1
            state.ended[actor] = nil
            state.holds.take(actor)
        }
        if isGranted { state.holds.grant(actor) }
        return lease
    }

    /// Takes leases for the handles of a message, whose sender holds the actors until it is told that this process
    /// does.
    func receive(_ handles: HandlesInTransit, from sender: PeerID, on mesh: Mesh) -> [HandleLease] {
        let isGranted = handles.isGranted
        return self.state.withLock { state in
            let leases = handles.actors.map { Self.lease(for: $0, isGranted: isGranted, on: mesh, &state) }
            if !isGranted {
                state.holds.received(Holds.Transit(sender: sender, number: handles.number), handles.actors)
            }
            return leases
        }
    }

    /// A lease has ended. Another one of the same actor may have begun in the meantime.
    func end(_ actor: UniqueID, number: UInt64, _ reference: ActorReference?, on mesh: Mesh) {
        let wakes = self.state.withLock { state in
            guard state.leases[actor]?.number == number else { return false }
            state.leases[actor] = nil
            state.holds.drop(actor, isDrained: reference == nil)
            if let reference {
                state.ended[actor] = number
                state.draining.append(Draining(actor: actor, number: number, reference: reference))
            }
            defer { state.isAwake = true }
            return !state.isAwake
        }
        guard wakes, !mesh.isStopped else { return }
        MeshScope.$current.withValue(nil) {
            _ = Task(executorPreference: mesh.executor) { mesh.tendHolds() }
        }
    }

    /// What was sent to an actor before a lease ended has arrived. Does nothing when it has been held since.
    func drained(_ actor: UniqueID, number: UInt64) {
        self.state.withLock { state in
            guard state.ended[actor] == number else { return }
            state.ended[actor] = nil
            state.holds.drained(actor)
        }
    }

    func forget(_ sender: PeerID) { self.state.withLock { $0.holds.forget(sender) } }

    // MARK: What has to be done

    /// What there is to do, for the one who does it now.
    struct Work {
        var draining: [Draining]
        var confirmed: [Holds.Transit]
    }

    func takeWork() -> Work? {
        self.state.withLock { state in
            state.isAwake = false
            let confirmed = state.holds.takeConfirmed()
            guard !state.draining.isEmpty || !confirmed.isEmpty else { return nil }
            defer { state.draining = [] }
            return Work(draining: state.draining, confirmed: confirmed)
        }
    }

    /// Whether the caller is to report what there is: there is something, and nobody else does.
    func beginReporting() -> Bool {
        self.state.withLock { state in
            guard state.holds.hasNews, !state.isReporting else { return false }
            state.isReporting = true
            return true
        }
    }

    /// The next report for the one who reports; nil when there is nothing more, and then nobody does.
    func nextReport() -> HoldChanges? {
        self.state.withLock { state in
            let report = state.holds.nextReport()
            if report == nil { state.isReporting = false }
            return report
        }
    }

    func accepted(ended: [UniqueID]) { self.state.withLock { $0.holds.accepted(ended: ended) } }

    func failed() { self.state.withLock { $0.holds.failed() } }

    func wantComplete() { self.state.withLock { $0.holds.reportEverything() } }

    /// Whether this process has a counted handle to an actor now.
    func holds(_ actor: UniqueID) -> Bool { self.state.withLock { $0.leases[actor]?.lease != nil } }

    // MARK: For tests

    /// How many actors are held.
    package var count: Int { self.state.withLock { $0.leases.count } }

    /// How much is remembered of holds, in all.
    package var size: Int { self.state.withLock { $0.holds.size } }
}
