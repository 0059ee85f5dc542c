import MeshCore
import Synchronization

/// When to look after the links, and who wants to know about those that are lost.
final class PeerClock: Sendable {
    private struct State {
        var next: UInt64 = 0
        var wanted: UInt64?
        var listeners: [@Sendable (PeerID, MeshError) -> Void] = []
    }

    private let state = Mutex(State())
    static let interval: UInt64 = 50_000_000

    /// Runs `body` when the interval has passed, or when nobody will ask again soon: what has begun since the last time
    /// would be forgotten otherwise. Returns when to come back.
    func ifDue(now: UInt64, isLast: Bool, _ body: () -> UInt64?) -> UInt64? {
        let isDue = self.state.withLock { state in
            guard now >= state.next || isLast else { return false }
            state.next = now + Self.interval
            return true
        }
        guard isDue else { return self.state.withLock { $0.wanted } }
        let wanted = body()
        self.state.withLock { $0.wanted = wanted }
        return wanted
    }

    func listen(_ action: @escaping @Sendable (PeerID, MeshError) -> Void) {
        self.state.withLock { $0.listeners.append(action) }
    }

    var listeners: [@Sendable (PeerID, MeshError) -> Void] { self.state.withLock { $0.listeners } }
}
