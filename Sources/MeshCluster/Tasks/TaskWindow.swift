import DequeModule
import MeshCore
import Synchronization

/// How many tasks of this process may be under way at once, so that a loop that submits without end waits instead of
/// filling its memory.
final class TaskWindow: Sendable {
    private struct State {
        var underWay = 0
        var waiters: Deque<(number: UInt64, continuation: UnsafeContinuation<Void, Never>)> = []
        var nextNumber: UInt64 = 0
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = max(1, limit) }

    /// Waits until there is room for one more.
    ///
    /// - Throws: `cancelled` when the calling task is cancelled before.
    func enter() async throws(MeshError) {
        let number: UInt64? = self.state.withLock { state in
            if state.underWay < self.limit {
                state.underWay += 1
                return nil
            }
            state.nextNumber += 1
            return state.nextNumber
        }
        guard let number else { return }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let goesOn = self.state.withLock { state in
                    if state.underWay < self.limit || Task.isCancelled {
                        state.underWay += 1
                        return true
                    }
                    state.waiters.append((number, continuation))
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            let waiter = self.state.withLock { state -> UnsafeContinuation<Void, Never>? in
                guard let index = state.waiters.firstIndex(where: { $0.number == number }) else { return nil }
                // Counted as all who go on from here.
                state.underWay += 1
                return state.waiters.remove(at: index).continuation
            }
            waiter?.resume()
        }
        guard Task.isCancelled else { return }
        self.leave()
        throw MeshError(.cancelled, "The task was cancelled before there was room to submit another one.")
    }

    /// One is done: the first who waits has its place.
    func leave() {
        let next = self.state.withLock { state in
            state.underWay -= 1
            guard state.underWay < self.limit, let next = state.waiters.popFirst() else {
                return UnsafeContinuation<Void, Never>?.none
            }
            state.underWay += 1
            return next.continuation
        }
        next?.resume()
    }

    /// How many are under way, for tests.
    var count: Int { self.state.withLock { $0.underWay } }
}
