import CMeshPlatform
import MeshCore
import Synchronization

/// The thread that looks after the others: about every millisecond while something happens, and otherwise only when a
/// timer is due.
///
/// `@unchecked Sendable`: the variables belong to the monitor's own thread; the rest is atomic.
final class ExecutorMonitor: @unchecked Sendable {
    enum Next {
        case again
        case idle(until: UInt64?)
        case stop
    }

    /// For the check that runs on the monitor's thread.
    var health = ExecutorHealth()
    private var quietChecks = 0
    private let isAsleep = Atomic<Bool>(false)
    private let isStopped = Atomic<Bool>(false)
    private let signal = WakeSignal()
    private static let interval: UInt64 = 1_000_000
    /// After so many checks with nothing to do it goes to sleep.
    private static let patience = 20

    /// - Parameter check: looks at everything at a time; the flag says that the monitor goes to sleep after it, so that
    ///   what is looked at less often must be looked at now.
    func start(_ check: @escaping @Sendable (UInt64, Bool) -> Next) {
        _ = startThread(named: "mesh-monitor") { self.run(check) }
    }

    func stop() {
        self.isStopped.store(true, ordering: .sequentiallyConsistent)
        self.signal.raise()
    }

    /// Tells that threads have work, or that a timer was set. Costs an atomic load while the monitor is awake.
    func noteActivity() {
        guard self.isAsleep.load(ordering: .sequentiallyConsistent) else { return }
        self.wake()
    }

    /// Makes it look at the timers again.
    func wake() { self.signal.raise() }

    private func run(_ check: (UInt64, Bool) -> Next) {
        while !self.isStopped.load(ordering: .sequentiallyConsistent) {
            let now = cmesh_monotonic_nanoseconds()
            switch check(now, false) {
            case .stop: return
            case .again:
                self.quietChecks = 0
                self.signal.reset()
                _ = self.signal.wait(nanoseconds: Self.interval)
            case .idle(let until):
                self.quietChecks += 1
                if self.quietChecks < Self.patience {
                    self.signal.reset()
                    let wait = until.map { $0 > now ? min($0 - now, Self.interval) : 1 } ?? Self.interval
                    _ = self.signal.wait(nanoseconds: wait)
                } else {
                    self.sleep(check)
                }
            }
        }
    }

    private func sleep(_ check: (UInt64, Bool) -> Next) {
        self.signal.reset()
        self.isAsleep.store(true, ordering: .sequentiallyConsistent)
        defer { self.isAsleep.store(false, ordering: .sequentiallyConsistent) }
        // Somebody may have become busy just before `isAsleep` was to be seen.
        let now = cmesh_monotonic_nanoseconds()
        guard case .idle(let until) = check(now, true) else { return }
        let wait = until.map { $0 > now ? $0 - now : 1 } ?? 0
        if self.signal.wait(nanoseconds: wait) { self.quietChecks = 0 }
    }
}
