import Synchronization

/// Events with names, which a test waits for instead of sleeping.
public final class Checkpoints: Sendable {
    private struct Waiter {
        var name: String
        var count: Int
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var log: [String] = []
        var counts: [String: Int] = [:]
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
    }

    private let state = Mutex(State())

    /// Nothing has been reached.
    public init() {}

    /// Notes that a checkpoint was reached (once more).
    public func reach(_ name: String) {
        let due = self.state.withLock { state -> [Waiter] in
            state.log.append(name)
            state.counts[name, default: 0] += 1
            let count = state.counts[name, default: 0]
            let due = state.waiters.filter { $0.value.name == name && $0.value.count <= count }
            for number in due.keys { state.waiters[number] = nil }
            return Array(due.values)
        }
        for waiter in due { waiter.continuation.resume() }
    }

    /// Suspends until a checkpoint has been reached so many times.
    ///
    /// - Throws: `CancellationError` when the waiting task is cancelled.
    public func wait(for name: String, count: Int = 1) async throws {
        let number = self.state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = self.state.withLock { state in
                    if state.counts[name, default: 0] >= count || Task.isCancelled { return true }
                    state.waiters[number] = Waiter(name: name, count: count, continuation: continuation)
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume()
        }
        guard self.count(of: name) >= count else { throw CancellationError() }
    }

    /// How often a checkpoint was reached.
    public func count(of name: String) -> Int { self.state.withLock { $0.counts[name, default: 0] } }

    /// Every checkpoint in the order in which they were reached.
    public var log: [String] { self.state.withLock { $0.log } }
}
