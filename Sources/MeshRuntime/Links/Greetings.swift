import MeshCore
import Synchronization

/// Waits for the hello of a process of which only the address is known.
package final class Greetings: Sendable {
    private struct State {
        var waiters: [Int: @Sendable (PeerAddress) -> Void] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    func note(_ address: PeerAddress) {
        for waiter in self.state.withLock({ Array($0.waiters.values) }) { waiter(address) }
    }

    /// Calls `action` for every hello until `remove` is called with the number that comes back.
    func add(_ action: @escaping @Sendable (PeerAddress) -> Void) -> Int {
        self.state.withLock { state in
            state.next += 1
            state.waiters[state.next] = action
            return state.next
        }
    }

    func remove(_ number: Int) { _ = self.state.withLock { $0.waiters.removeValue(forKey: number) } }
}
