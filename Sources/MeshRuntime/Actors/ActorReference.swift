import CMeshPlatform
import DequeModule
package import MeshCore
import Synchronization

/// What this process knows of one actor, shared by all handles to it: where it is, which calls are outstanding, and who
/// waits for room.
package final class ActorReference: Sendable {
    package let id: UniqueID
    package let typeName: String
    package let name: String?
    /// How many calls from this process may be outstanding.
    let window: Int
    /// How often one call may run again in a later life of the actor.
    let retries: Limit
    /// Whether there may be a later life.
    let mayRestart: Bool
    let mesh: Mesh
    let state: Mutex<State>

    struct State {
        var route: ReferenceState<OutgoingCall>
        var window: CallWindow
        var waiters: Deque<AdmissionWaiter> = []
        /// What is to be done once no one-way message waits for the actor to be found.
        var departures: [@Sendable () -> Void] = []
        /// The process at the route's location, once a call has gone there.
        var peer: Peer?
        /// Asks where the actor is, while calls wait for it.
        var search: ActorSearch?
        /// Asks whether the actor, which is out of reach, has ended for good, while no call waits for the answer.
        var inquiry: ActorSearch?
    }

    init(_ fields: HandleFields, mesh: Mesh) {
        self.id = fields.id
        self.typeName = fields.typeName
        self.name = fields.name
        self.window = max(1, fields.window)
        self.retries = fields.retries
        self.mayRestart = fields.mayRestart
        self.mesh = mesh
        self.state = Mutex(
            State(
                route: ReferenceState(
                    location: fields.location, retries: fields.retries, mayRestart: fields.mayRestart,
                    firstNumber: fields.retries == 0 ? 1 : Self.newNumber()),
                window: CallWindow(limit: fields.window)))
    }

    deinit {
        self.mesh.references.forget(self.id)
        let (search, inquiry) = self.state.withLock { ($0.search, $0.inquiry) }
        search?.cancel()
        inquiry?.cancel()
    }

    /// A number above all that an earlier reference to the same actor can have given to its calls: where calls may be
    /// sent again the actor remembers those, and would take a new call for one of them. Nobody makes a call each
    /// nanosecond.
    private static func newNumber() -> UInt64 { cmesh_monotonic_nanoseconds() }

    package var location: ActorLocation { self.state.withLock { $0.route.location } }

    /// Whether the actor is known to have ended for good.
    var hasEnded: Bool { self.state.withLock { $0.route.ended != nil } }

    /// Whether calls are kept until their outcome is known, because they may have to be sent again.
    var keepsCalls: Bool { self.mayRestart || self.retries != 0 }

    /// For messages to people: `Account "savings" (1fcc75b5)`.
    package var label: String {
        let type = shortName(ofType: self.typeName)
        return self.name.map { "\(type) \"\($0)\" (\(self.id.short))" } ?? "\(type) (\(self.id.short))"
    }

    /// Sends a call in its turn, or keeps it until the actor has been found. Runs under the reference's lock so that
    /// calls leave in the order of their numbers.
    ///
    /// - Returns: the number under which the call is kept, nil when it is not.
    func send(_ call: OutgoingCall) throws(MeshError) -> UInt64? {
        let (isSent, sequence) = self.state.withLock { state -> (Bool, UInt64?) in
            guard case .connected = state.route.phase else { return (false, nil) }
            do throws(MeshError) {
                return (true, try self.sendNow(call, &state))
            } catch {
                return (false, nil)
            }
        }
        return isSent ? sequence : try self.sendAfterTrouble(call)
    }

    /// The actor is not where it was, or sending to it failed.
    private func sendAfterTrouble(_ call: OutgoingCall) throws(MeshError) -> UInt64? {
        var effects = ReferenceEffects()
        defer { self.run(effects) }
        return try self.state.withLock { state throws(MeshError) in
            var attempts = 0
            while case .connected = state.route.phase {
                do throws(MeshError) {
                    return try self.sendNow(call, &state)
                } catch {
                    // Only the link had broken, and the next one is made at once; or it is something else.
                    attempts += 1
                    guard attempts < 3, self.noteFailure(&state, &effects) else { throw error }
                }
            }
            if let ended = state.route.ended { throw ended }
            let sequence = state.route.calls.keep(call, .unsent)
            self.search(&state, &effects)
            return sequence
        }
    }

    @inline(__always)
    private func sendNow(_ call: OutgoingCall, _ state: inout State) throws(MeshError) -> UInt64? {
        try self.connect(&state)
        let peer = state.route.location.address.peer
        let isExpected = call.isOneWay || call.expectedFrom == peer
        if !isExpected { self.mesh.pending.expect(call.number, from: peer) }
        do throws(MeshError) {
            try self.post(call, callID: call.number, sequence: state.route.calls.next, &state)
        } catch {
            // It is not there, and does not share the fate of that process.
            if !isExpected { self.mesh.pending.expect(call.number, from: nil) }
            throw error
        }
        // A one-way message that has left is never sent again.
        guard self.keepsCalls, !call.isOneWay else {
            _ = state.route.calls.pass()
            return nil
        }
        return state.route.calls.keep(call, .sent(state.route.location.incarnation))
    }

    /// Opens the link to the actor's process, if it is another one.
    func connect(_ state: inout State) throws(MeshError) {
        guard state.peer == nil, state.route.location.address.peer != self.mesh.address.peer else { return }
        // What is sent to a process that has ended long ago would be lost as if it had been on its way.
        if let ended = self.deadProcess(state) { throw ended }
        state.peer = try self.mesh.peers.peer(at: state.route.location.address)
    }

    /// That the actor's process, to which there is no link yet, has ended; as far as this host knows.
    func deadProcess(_ state: State) -> MeshError? {
        let address = state.route.location.address
        guard state.peer == nil, address.host == self.mesh.address.host, address.startTime != 0,
            self.mesh.peers.known(address.peer) == nil,
            ProcessStatus.startTime(of: address.processID) != address.startTime
                || ProcessStatus.hasEnded(address.processID)
        else { return nil }
        return MeshError(.actorDied, "Its process \(address.processID) has ended.")
    }

    /// Sends a call to the actor's location.
    func post(_ call: OutgoingCall, callID: UInt64, sequence: UInt64, _ state: inout State) throws(MeshError) {
        // The lowest call that is kept is the first whose outcome is not known; it may be this one.
        let answeredBelow = self.retries == 0 || call.isOneWay ? nil : state.route.calls.first
        try call.post(
            callID: callID, sequence: sequence, wantsCredit: call.isOneWay && state.window.wantsCredit,
            answeredBelow: answeredBelow, to: state.route.location, state.peer)
        if call.isOneWay { state.window.sent(tellOf: call.largeBytes) }
    }
}
