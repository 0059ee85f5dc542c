import Glibc
import MeshCore

/// The messages that have been sent to one transport and are not received yet, by the time when they arrive.
///
/// `@unchecked Sendable`: everything in it is touched under its lock. The lock is one of the C library, because a
/// thread has to wait for messages, which Swift's mutex has no means for.
final class Inbox: @unchecked Sendable {
    private struct Item {
        var arrival: ContinuousClock.Instant
        var message: InboundMessage
    }

    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let hasNews: UnsafeMutablePointer<pthread_cond_t>
    /// Sorted by arrival; what arrives at the same time stays in the order in which it was sent.
    private var items: [Item] = []
    private var isInterrupted = false
    private var isClosed = false

    init() {
        self.lock = .allocate(capacity: 1)
        self.lock.initialize(to: pthread_mutex_t())
        pthread_mutex_init(self.lock, nil)
        self.hasNews = .allocate(capacity: 1)
        self.hasNews.initialize(to: pthread_cond_t())
        pthread_cond_init(self.hasNews, nil)
    }

    deinit {
        pthread_cond_destroy(self.hasNews)
        pthread_mutex_destroy(self.lock)
        self.hasNews.deallocate()
        self.lock.deallocate()
    }

    private func withLock<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(self.lock)
        defer { pthread_mutex_unlock(self.lock) }
        return body()
    }

    func put(_ message: InboundMessage, after delay: Duration) {
        self.withLock {
            guard !self.isClosed else { return }
            let arrival = ContinuousClock.now + delay
            let index = self.items.lastIndex { $0.arrival <= arrival }.map { $0 + 1 } ?? 0
            self.items.insert(Item(arrival: arrival, message: message), at: index)
            pthread_cond_signal(self.hasNews)
        }
    }

    func take(waiting: Bool) -> InboundMessage? {
        self.withLock {
            while !self.isClosed {
                let now = ContinuousClock.now
                if let first = self.items.first, first.arrival <= now { return self.items.removeFirst().message }
                guard waiting else { return nil }
                if self.isInterrupted {
                    self.isInterrupted = false
                    return nil
                }
                if let first = self.items.first {
                    self.wait(for: first.arrival - now)
                } else {
                    pthread_cond_wait(self.hasNews, self.lock)
                }
            }
            return nil
        }
    }

    private func wait(for duration: Duration) {
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        let (seconds, attoseconds) = duration.components
        let nanoseconds = until.tv_nsec + Int(attoseconds / 1_000_000_000)
        until.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        until.tv_nsec = nanoseconds % 1_000_000_000
        pthread_cond_timedwait(self.hasNews, self.lock, &until)
    }

    func interrupt() {
        self.withLock {
            self.isInterrupted = true
            pthread_cond_signal(self.hasNews)
        }
    }

    func close() {
        self.withLock {
            self.isClosed = true
            self.items = []
            pthread_cond_broadcast(self.hasNews)
        }
    }
}
