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
    }

    private let state = Mutex(State())

    /// Returns when something about the actor has changed since this was called, or the task is cancelled. Call it on
    /// the actor on which the changes are made, directly after having looked.
    func wait(for actor: UniqueID, isolation: isolated (any Actor)? = #isolation) async {
        let number = self.state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isWaiting = self.state.withLock { state in
                    guard !Task.isCancelled else { return false }
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

    /// Wakes everybody.
    func wakeAll() {
        for actor in self.state.withLock({ Array($0.waiters.keys) }) { self.wake(actor) }
    }

    /// Wakes those who wait for an actor.
    func wake(_ actor: UniqueID) {
        let waiters = self.state.withLock { $0.waiters.removeValue(forKey: actor) } ?? []
        for waiter in waiters { waiter.continuation.resume() }
    }
}
