import CMeshPlatform
import Synchronization

/// The peers for which something is gathered and that must be sent to at the end of the turn.
final class PeerOutbox: Sendable {
    private let hasMarked = Atomic<Bool>(false)
    private let markedAt = Atomic<UInt64>(0)
    /// What was gathered so long ago does not wait for the end of a long turn.
    private static let patience: UInt64 = 50_000
    private let marked = Mutex<[Peer]>([])
    private let isOwnThread: @Sendable () -> Bool
    let traffic = LinkTraffic()
    /// Something was sent that must be looked after until it is acknowledged.
    let noteActivity: @Sendable () -> Void

    /// - Parameters:
    ///   - isOwnThread: whether the calling thread will flush at the end of its turn.
    ///   - noteActivity: wakes who looks after the links.
    init(isOwnThread: @escaping @Sendable () -> Bool, noteActivity: @escaping @Sendable () -> Void) {
        self.isOwnThread = isOwnThread
        self.noteActivity = noteActivity
    }

    /// Whether what the calling thread gathers now will be sent soon without its doing.
    var gathers: Bool { self.isOwnThread() }

    func mark(_ peer: Peer) {
        self.marked.withLock { $0.append(peer) }
        if !self.hasMarked.exchange(true, ordering: .acquiringAndReleasing) {
            self.markedAt.store(cmesh_monotonic_nanoseconds(), ordering: .relaxed)
        }
    }

    /// Sends what was gathered a while ago. Called between the calls of a turn.
    func flushIfStale() {
        guard self.hasMarked.load(ordering: .relaxed) else { return }
        if cmesh_monotonic_nanoseconds() > self.markedAt.load(ordering: .relaxed) + Self.patience { self.flush() }
    }

    func flush() {
        guard self.hasMarked.exchange(false, ordering: .acquiringAndReleasing) else { return }
        let peers = self.marked.withLock { marked in
            defer { marked = [] }
            return marked
        }
        for peer in peers { peer.flush() }
    }
}
