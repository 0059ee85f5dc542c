import MeshCore
import Synchronization

/// Those who wait until something about an actor changes, to look again.
final class ChangeWaiters: Sendable {
    private struct Waiter {
        var number: UInt64
        var continuation: UnsafeContinuation<Void, Never>
    }

    private struct State {
        var waiters: [UniqueID: [Waiter]] = [:]
        var next: UInt64 = 0
        /// How often somebody was woken, or would have been.
        var changes: UInt64 = 0
    }

    private let state = Mutex(State())

    /// What has changed so far. Take it before looking, and pass it on to `wait`: between looking and waiting others may
    /// change what was looked at.
    var changes: UInt64 { self.state.withLock { $0.changes } }

    /// Returns when something about the actor may have changed since `changes` was taken, or the task is cancelled.
    func wait(for actor: UniqueID, since changes: UInt64) async {
        let number = self.state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isWaiting = self.state.withLock { state in
                    guard !Task.isCancelled, state.changes == changes else { return false }
                    state.waiters[actor, default: []].append(Waiter(number: number, continuation: continuation))
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
        } onCancel: {
            let waiter = self.state.withLock { state -> Waiter? in
                guard let index = state.waiters[actor]?.firstIndex(where: { $0.number == number }) else { return nil }
                let waiter = state.waiters[actor]?.remove(at: index)
                if state.waiters[actor]?.isEmpty == true { state.waiters[actor] = nil }
                return waiter
            }
            waiter?.continuation.resume()
        }
    }

    /// How many wait.
    var count: Int { self.state.withLock { $0.waiters.values.reduce(0) { $0 + $1.count } } }

    /// Wakes everybody.
    func wakeAll() {
        for actor in self.state.withLock({ Array($0.waiters.keys) }) { self.wake(actor) }
    }

    /// Wakes those who wait for an actor.
    func wake(_ actor: UniqueID) {
        let waiters = self.state.withLock { state in
            state.changes += 1
            return state.waiters.removeValue(forKey: actor) ?? []
        }
        for waiter in waiters { waiter.continuation.resume() }
    }
}
