package import MeshCore
import Synchronization

/// One lease for each actor that this process holds, and what the broker knows of it.
///
/// Handles go anywhere, also inside of somebody's lock. So the end of a lease only notes it here, under a lock inside of
/// which nothing else happens; what follows from it is done by a task of its own.
package final class LeaseTable: Sendable {
    private struct Entry {
        weak var lease: HandleLease?
        var number: UInt64
        /// By which it is known what was sent to the actor; nil while only messages have the lease.
        var reference: ActorReference?
    }

    /// A hold that is to be given back as soon as what was sent to the actor has arrived.
    struct Ended: Sendable {
        var actor: UniqueID
        /// The lease that was the last.
        var number: UInt64
        var reference: ActorReference
    }

    private struct State {
        var leases: [UniqueID: Entry] = [:]
        var holds: Holds
        var nextNumber: UInt64 = 1
        /// Those whose last lease has ended, while what was sent to the actor has not arrived.
        var ended: [UniqueID: Ended] = [:]
        /// Those of them that nobody has looked at yet.
        var draining: [UniqueID] = []
        /// Those for whose link somebody waits.
        var awaited: Set<UniqueID> = []
        /// Whether a task is on its way that does what has to be done.
        var isAwake = false
        var isReporting = false
        var completeReports: UInt64 = 0
    }

    private let state: Mutex<State>

    package init(of process: PeerID) { self.state = Mutex(State(holds: Holds(of: process))) }

    // MARK: Leases come and go

    /// The lease of an actor: the one that there is, or a new one.
    ///
    /// - Parameters:
    ///   - reference: the actor's, if it is known.
    ///   - isGranted: whether the broker has counted this process for it already.
    func lease(for actor: UniqueID, _ reference: ActorReference?, isGranted: Bool, on mesh: Mesh) -> HandleLease {
        self.state.withLock { Self.lease(for: actor, reference, isGranted: isGranted, on: mesh, &$0) }
    }

    private static func lease(
        for actor: UniqueID, _ reference: ActorReference?, isGranted: Bool, on mesh: Mesh, _ state: inout State
    ) -> HandleLease {
        let lease = state.leases[actor]?.lease ?? self.makeLease(for: actor, on: mesh, &state)
        if let reference, state.leases[actor]?.reference == nil { state.leases[actor]?.reference = reference }
        if isGranted { state.holds.grant(actor) }
        return lease
    }

    /// A new lease knows what was sent during one before it that has not been given back.
    private static func makeLease(for actor: UniqueID, on mesh: Mesh, _ state: inout State) -> HandleLease {
        let lease = HandleLease(actor: actor, number: state.nextNumber, mesh: mesh)
        let reference = state.ended.removeValue(forKey: actor)?.reference ?? state.leases[actor]?.reference
        state.leases[actor] = Entry(lease: lease, number: state.nextNumber, reference: reference)
        state.nextNumber += 1
        state.holds.take(actor)
        return lease
    }

    /// Takes leases for the handles of a message, whose sender holds the actors until it is told that this process
    /// does.
    func receive(_ handles: HandlesInTransit, from sender: PeerID, on mesh: Mesh) -> [HandleLease] {
        let isGranted = handles.isGranted
        return self.state.withLock { state in
            let leases = handles.actors.map { Self.lease(for: $0, nil, isGranted: isGranted, on: mesh, &state) }
            if !isGranted {
                state.holds.received(Holds.Transit(sender: sender, number: handles.number), handles.actors)
            }
            return leases
        }
    }

    /// A lease has ended. Another one of the same actor may have begun in the meantime.
    func end(_ actor: UniqueID, number: UInt64, on mesh: Mesh) {
        let wakes = self.state.withLock { state in
            guard let entry = state.leases[actor], entry.number == number else { return false }
            state.leases[actor] = nil
            state.holds.drop(actor, isDrained: entry.reference == nil)
            if let reference = entry.reference {
                state.ended[actor] = Ended(actor: actor, number: number, reference: reference)
                state.draining.append(actor)
            }
            defer { state.isAwake = true }
            return !state.isAwake
        }
        guard wakes, !mesh.isStopped else { return }
        MeshScope.$current.withValue(nil) {
            _ = Task(executorPreference: mesh.executor) { mesh.tendHolds() }
        }
    }

    /// Begins to wait for what was sent to an actor; nil when that is being done, or the actor is held again.
    func beginDraining(_ actor: UniqueID) -> Ended? {
        self.state.withLock { state in
            guard let ended = state.ended[actor], state.awaited.insert(actor).inserted else { return nil }
            return ended
        }
    }

    /// What was sent to an actor before a lease ended has arrived.
    ///
    /// - Returns: whether another lease has ended since, and it is to be waited for what was sent during that.
    func drained(_ hold: Ended) -> Bool {
        // The reference, which may be the last one, must not end inside of the lock.
        let (ended, isOld) = self.state.withLock { state -> (Ended?, Bool) in
            state.awaited.remove(hold.actor)
            guard let last = state.ended[hold.actor] else { return (nil, false) }
            guard last.number == hold.number else { return (nil, true) }
            state.holds.drained(hold.actor)
            return (state.ended.removeValue(forKey: hold.actor), false)
        }
        return withExtendedLifetime(ended) { isOld }
    }

    func forget(_ sender: PeerID) { self.state.withLock { $0.holds.forget(sender) } }

    // MARK: What has to be done

    /// What there is to do, for the one who does it now.
    struct Work {
        var draining: [UniqueID]
        var confirmed: [Holds.Transit]
    }

    /// What there is to do now; nil when that is nothing. Whoever takes it comes back afterwards: until then nobody
    /// else is called for what is added, so that a thousand handles that go make one task.
    func takeWork() -> Work? {
        self.state.withLock { state in
            let confirmed = state.holds.takeConfirmed()
            state.isAwake = !state.draining.isEmpty || !confirmed.isEmpty
            guard state.isAwake else { return nil }
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
            if report?.isComplete == true { state.completeReports += 1 }
            return report
        }
    }

    /// - Returns: those of the ended actors and objects of which that is still so.
    @discardableResult
    func accepted(ended: [UniqueID]) -> [UniqueID] { self.state.withLock { $0.holds.accepted(ended: ended) } }

    /// Objects of this process may be held by nobody any more.
    func ask(_ objects: [UniqueID]) {
        self.state.withLock { state in
            for object in objects { state.holds.ask(object) }
        }
    }

    func failed() { self.state.withLock { $0.holds.failed() } }

    /// How many complete reports have been made.
    var completeReports: UInt64 { self.state.withLock { $0.completeReports } }

    func wantComplete() { self.state.withLock { $0.holds.reportEverything() } }

    /// Whether this process has a counted handle to an actor now.
    ///
    /// Does not look at the lease itself, which could then be the last to refer to it, and end it inside of the lock.
    func holds(_ actor: UniqueID) -> Bool { self.state.withLock { $0.leases[actor] != nil } }

    // MARK: For tests

    /// How many actors are held.
    package var count: Int { self.state.withLock { $0.leases.count } }

    /// How much is remembered of holds, in all.
    package var size: Int { self.state.withLock { $0.holds.size + $0.ended.count + $0.awaited.count } }
}
