import DequeModule
package import MeshCore
import Synchronization

/// Where an actor is: its process, and which of its lives that is.
package struct ActorLocation: Hashable, Sendable, Codable {
    package var address: PeerAddress
    package var incarnation: UInt64

    package init(address: PeerAddress, incarnation: UInt64) {
        self.address = address
        self.incarnation = incarnation
    }
}

/// What this process knows of one actor, shared by all handles to it: where it is, how many calls are outstanding,
/// and who waits for room.
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
    private let mesh: Mesh
    private let state: Mutex<State>

    private struct State {
        var location: ActorLocation
        var peer: Peer?
        var nextSequence: UInt64 = 1
        /// Calls whose result has not come.
        var outstanding = 0
        /// Bytes of the outstanding calls and messages that are large.
        var outstandingBytes = 0
        /// The large one-way messages that have not run: their place in the order of messages, and their bytes.
        var largeTells: Deque<(number: UInt64, bytes: Int)> = []
        /// One-way messages that were admitted, that have left, and that have run.
        var tellsSent: UInt64 = 0
        var tellsPosted: UInt64 = 0
        var tellsCompleted: UInt64 = 0
        var waiters: Deque<AdmissionWaiter> = []
        var ended: MeshError?
    }

    init(_ fields: HandleFields, mesh: Mesh) {
        self.id = fields.id
        self.typeName = fields.typeName
        self.name = fields.name
        self.window = max(1, fields.window)
        self.retries = fields.retries
        self.mayRestart = fields.mayRestart
        self.mesh = mesh
        self.state = Mutex(State(location: fields.location))
    }

    deinit { self.mesh.references.forget(self.id) }

    package var location: ActorLocation { self.state.withLock { $0.location } }

    /// Takes over where a newer life of the actor is.
    func update(_ location: ActorLocation) {
        self.state.withLock { state in
            guard location.incarnation > state.location.incarnation else { return }
            state.location = location
            state.peer = nil
            state.ended = nil
            state.tellsCompleted = state.tellsSent
        }
    }

    /// For messages to people: `Account "savings" (1fcc75b5)`.
    package var label: String {
        let type = self.typeName.split(separator: ".").last.map(String.init) ?? self.typeName
        return self.name.map { "\(type) \"\($0)\" (\(self.id.short))" } ?? "\(type) (\(self.id.short))"
    }

    /// Whether one more call may be outstanding, and if so counts it.
    private static func admit(_ state: inout State, window: Int, isOneWay: Bool, bytes: Int) -> Bool {
        let outstanding = state.outstanding + Int(state.tellsSent - state.tellsCompleted)
        guard outstanding < window else { return false }
        // One call is always admitted, however large it is.
        guard bytes == 0 || outstanding == 0 || state.outstandingBytes + bytes <= Self.byteWindow else { return false }
        state.outstandingBytes += bytes
        if isOneWay {
            state.tellsSent += 1
            if bytes > 0 { state.largeTells.append((state.tellsSent, bytes)) }
        } else {
            state.outstanding += 1
        }
        return true
    }

    /// How many bytes of large calls to one actor may be outstanding.
    private static let byteWindow = 64 << 20
    /// Smaller calls are bounded by their number alone.
    static let largeCall = 4 << 10

    /// Waits until one more call may be outstanding; those who wait are served in order.
    ///
    /// - Throws: `tooManyPendingCalls` with `.failFast`, `cancelled`, or what ended the actor.
    ///
    /// - Parameter bytes: what it takes, if that is at least `largeCall`, else 0.
    func admit(isOneWay: Bool, bytes: Int, policy: BackPressure) async throws(MeshError) {
        let admitted = try self.state.withLock { state throws(MeshError) in
            if let ended = state.ended { throw ended }
            return state.waiters.isEmpty
                && Self.admit(&state, window: self.window, isOneWay: isOneWay, bytes: bytes)
        }
        if admitted { return }
        if policy == .failFast {
            throw MeshError(
                .tooManyPendingCalls,
                "\(self.window) calls to \(self.label) are outstanding; wait for some, or drop .failFast"
            )
        }
        let waiter = AdmissionWaiter(isOneWay: isOneWay, bytes: bytes)
        let granted = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let now = self.state.withLock { state -> Bool? in
                    if state.ended != nil || Task.isCancelled { return false }
                    if Self.admit(&state, window: self.window, isOneWay: isOneWay, bytes: bytes) { return true }
                    waiter.continuation = continuation
                    state.waiters.append(waiter)
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let isWaiting = self.state.withLock { state in
                guard let index = state.waiters.firstIndex(where: { $0 === waiter }) else { return false }
                state.waiters.remove(at: index)
                return true
            }
            if isWaiting { waiter.continuation?.resume(returning: false) }
        }
        if granted { return }
        if let ended = self.state.withLock({ $0.ended }) { throw ended }
        throw MeshError(.cancelled, "The call to \(self.label) was cancelled while it waited for room; it has not run.")
    }

    /// Takes the waiters for whom there is room now, and counts their calls.
    private func grant(_ state: inout State) -> [AdmissionWaiter] {
        var granted: [AdmissionWaiter] = []
        while let first = state.waiters.first,
            Self.admit(&state, window: self.window, isOneWay: first.isOneWay, bytes: first.bytes)
        {
            granted.append(state.waiters.removeFirst())
        }
        return granted
    }

    /// Sends a call in its turn. Runs under the reference's lock so that calls leave in the order of their numbers.
    func send(
        isOneWay: Bool,
        _ body: (_ sequence: UInt64, _ wantsCredit: Bool, ActorLocation, Peer?) throws(MeshError) -> Void
    ) throws(MeshError) {
        try self.state.withLock { state throws(MeshError) in
            if let ended = state.ended { throw ended }
            if state.peer == nil, state.location.address.peer != self.mesh.address.peer {
                state.peer = try self.mesh.peers.peer(at: state.location.address)
            }
            let sequence = state.nextSequence
            // Ask for credit often enough that the window never runs dry while the actor keeps up. What counts is how
            // many have left: others are admitted in between, so that the number of those may skip the ones that ask.
            let wantsCredit =
                isOneWay
                && ((state.tellsPosted + 1) % UInt64(max(1, self.window / 4)) == 0 || !state.largeTells.isEmpty)
            try body(sequence, wantsCredit, state.location, state.peer)
            state.nextSequence += 1
            if isOneWay { state.tellsPosted += 1 }
        }
    }

    /// Gives back the room of a call that has ended, or of a message that was not sent.
    func release(isOneWay: Bool, bytes: Int) {
        let granted = self.state.withLock { state in
            state.outstandingBytes -= bytes
            if isOneWay {
                if bytes > 0 { state.largeTells.removeAll { $0.number == state.tellsSent } }
                state.tellsSent -= 1
            } else {
                state.outstanding -= 1
            }
            return state.waiters.isEmpty ? [] : self.grant(&state)
        }
        for waiter in granted { waiter.continuation?.resume(returning: true) }
    }

    /// So many one-way messages have run, in all.
    func credit(completed: UInt64) {
        let granted = self.state.withLock { state -> [AdmissionWaiter] in
            guard completed > state.tellsCompleted, completed <= state.tellsSent else { return [] }
            state.tellsCompleted = completed
            while let first = state.largeTells.first, first.number <= completed {
                state.outstandingBytes -= first.bytes
                state.largeTells.removeFirst()
            }
            return self.grant(&state)
        }
        for waiter in granted { waiter.continuation?.resume(returning: true) }
    }

    /// The process of the actor says that it has ended, that life of it.
    func end(_ ended: EndedEnvelope, at peer: PeerID) {
        let location = self.location
        guard location.address.peer == peer, location.incarnation == ended.incarnation else { return }
        self.end(with: MeshError(.actorDied, ended.reason))
    }

    /// The actor has ended: calls fail from now on.
    package func end(with error: MeshError) {
        let waiters = self.state.withLock { state in
            if state.ended == nil { state.ended = error }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation?.resume(returning: false) }
    }
}

/// A call that waits for room.
///
/// `@unchecked Sendable`: `continuation` is set under the reference's lock before the waiter is in its queue, and read
/// by the one who took it out.
private final class AdmissionWaiter: @unchecked Sendable {
    let isOneWay: Bool
    let bytes: Int
    var continuation: UnsafeContinuation<Bool, Never>?

    init(isOneWay: Bool, bytes: Int) {
        self.isOneWay = isOneWay
        self.bytes = bytes
    }
}

/// What a call does when `maxPendingCalls` are outstanding.
public enum BackPressure: String, Hashable, Sendable, Codable {
    /// Suspend until there is room.
    case wait
    /// Throw `tooManyPendingCalls` at once.
    case failFast
}
