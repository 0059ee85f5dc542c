import CMeshPlatform
import Logging
import MeshCore
import Synchronization

/// Counts messages that make no sense, and logs the first of each minute.
final class BadMessageLog: Sendable {
    private struct State {
        var count: UInt64 = 0
        var lastLogged: [PeerID: UInt64] = [:]
    }

    private let state = Mutex(State())
    private let logger: Logger
    private static let interval: UInt64 = 60_000_000_000

    init(logger: Logger) { self.logger = logger }

    var count: UInt64 { self.state.withLock { $0.count } }

    func note(_ error: any Error, from peer: PeerID) {
        let now = cmesh_monotonic_nanoseconds()
        let isDue = self.state.withLock { state -> Bool in
            state.count += 1
            if let last = state.lastLogged[peer], now - last < Self.interval { return false }
            if state.lastLogged.count > 1000 { state.lastLogged = [:] }
            state.lastLogged[peer] = now
            return true
        }
        guard isDue else { return }
        self.logger.warning(
            "dropped a message that makes no sense",
            metadata: ["mesh.peer.id": "\(peer)", "error": "\(error)"])
    }
}
