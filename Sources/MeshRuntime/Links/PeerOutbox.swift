import Synchronization

/// The peers for which something is gathered and that must be sent to at the end of the turn.
final class PeerOutbox: Sendable {
    private let hasMarked = Atomic<Bool>(false)
    private let marked = Mutex<[Peer]>([])
    private let isOwnThread: @Sendable () -> Bool

    /// - Parameter isOwnThread: whether the calling thread will flush at the end of its turn.
    init(isOwnThread: @escaping @Sendable () -> Bool) { self.isOwnThread = isOwnThread }

    /// Whether what the calling thread gathers now will be sent soon without its doing.
    var gathers: Bool { self.isOwnThread() }

    func mark(_ peer: Peer) {
        self.marked.withLock { $0.append(peer) }
        self.hasMarked.store(true, ordering: .releasing)
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
