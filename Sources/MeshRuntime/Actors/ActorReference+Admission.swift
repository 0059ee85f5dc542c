import DequeModule
import MeshCore
import Synchronization

/// Who may send, and who waits until there is room.
extension ActorReference {
    /// Waits until one more call may be outstanding; those who wait are served in order.
    ///
    /// - Parameter bytes: what it takes, if that is at least `CallWindow.largeCall`, else 0.
    /// - Throws: `tooManyPendingCalls` with `.failFast`, `cancelled`, or what ended the actor.
    func admit(isOneWay: Bool, bytes: Int, policy: BackPressure) async throws(MeshError) {
        let admitted = try self.state.withLock { state throws(MeshError) in
            if let ended = state.route.ended { throw ended }
            return state.waiters.isEmpty && state.window.admit(isOneWay: isOneWay, bytes: bytes)
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
                    if state.route.ended != nil || Task.isCancelled { return false }
                    if state.window.admit(isOneWay: isOneWay, bytes: bytes) { return true }
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
        if let ended = self.state.withLock({ $0.route.ended }) { throw ended }
        throw MeshError(.cancelled, "The call to \(self.label) was cancelled while it waited for room; it has not run.")
    }

    /// Takes the waiters for whom there is room now, and counts their calls.
    func grant(_ state: inout State) -> [AdmissionWaiter] {
        var granted: [AdmissionWaiter] = []
        while let first = state.waiters.first, state.window.admit(isOneWay: first.isOneWay, bytes: first.bytes) {
            granted.append(state.waiters.removeFirst())
        }
        return granted
    }

    /// Gives back the room of a call that has ended, or of a message that will not be sent.
    ///
    /// - Parameter sequence: the number under which it is kept, if it is.
    func release(isOneWay: Bool, bytes: Int, sequence: UInt64? = nil) {
        let granted = self.state.withLock { state in
            if let sequence { state.route.calls.remove(sequence) }
            state.window.release(isOneWay: isOneWay, bytes: bytes)
            return state.waiters.isEmpty ? [] : self.grant(&state)
        }
        for waiter in granted { waiter.continuation?.resume(returning: true) }
    }

    /// One-way messages have run. What an earlier life of the actor says of them means nothing any more.
    func credit(_ credit: CreditEnvelope, from peer: PeerID) {
        let granted = self.state.withLock { state -> [AdmissionWaiter] in
            let location = state.route.location
            guard location.address.peer == peer,
                location.incarnation == 0 || location.incarnation == credit.incarnation,
                state.window.credit(credit.completed)
            else { return [] }
            return self.grant(&state)
        }
        for waiter in granted { waiter.continuation?.resume(returning: true) }
    }
}

/// A call that waits for room.
///
/// `@unchecked Sendable`: `continuation` is set under the reference's lock before the waiter is in its queue, and read
/// by the one who took it out.
final class AdmissionWaiter: @unchecked Sendable {
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
