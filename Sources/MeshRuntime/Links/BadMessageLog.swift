import CMeshPlatform
import Logging
import MeshCore
import Synchronization

/// Counts messages that make no sense, and logs the first of each peer and minute; of all peers together only so many
/// a minute, since whoever sends them chooses what he calls himself.
final class BadMessageLog: Sendable {
    private struct State {
        var count: UInt64 = 0
        var lastLogged: [PeerID: UInt64] = [:]
        /// When the present minute began, and how many lines there were in it.
        var minute: UInt64 = 0
        var lines = 0
    }

    private let state = Mutex(State())
    private let logger: Logger
    private static let interval: UInt64 = 60_000_000_000
    private static let linesPerInterval = 20

    init(logger: Logger) { self.logger = logger }

    var count: UInt64 { self.state.withLock { $0.count } }

    /// Counts one that is no sign of trouble.
    func count(_ error: any Error, from peer: PeerID) {
        self.state.withLock { $0.count += 1 }
        self.logger.debug("dropped a message", metadata: ["mesh.peer.id": "\(peer)", "error": "\(error)"])
    }

    func note(_ error: any Error, from peer: PeerID) {
        let now = cmesh_monotonic_nanoseconds()
        let count = self.state.withLock { state -> UInt64? in
            state.count += 1
            if now - state.minute >= Self.interval { (state.minute, state.lines, state.lastLogged) = (now, 0, [:]) }
            guard state.lines < Self.linesPerInterval, state.lastLogged.updateValue(now, forKey: peer) == nil else {
                return nil
            }
            state.lines += 1
            return state.count
        }
        guard let count else { return }
        self.logger.warning(
            "dropped a message that makes no sense",
            metadata: [
                "mesh.peer.id": peer == .anyone ? "unknown" : "\(peer)", "error": "\(error)", "count": "\(count)",
            ])
    }
}
