import CMeshPlatform
package import MeshCore
import Synchronization

/// What the executor's threads do besides running jobs.
package protocol MeshExecutorDelegate: AnyObject, Sendable {
    /// Takes a message that has arrived. Called by one thread at a time, in the order of arrival.
    func receive(_ message: InboundMessage)
    /// Sends what was gathered during a turn.
    func flush()
    /// Called about every millisecond while something runs, and when a timer is due. Returns when to call again.
    func tick(now: UInt64) -> UInt64?
}

/// Threads that take turns receiving, and run what they received themselves.
///
/// One thread, the leader, waits in the transport. What a message makes runnable (an actor's call, a caller whose
/// result has come) the leader runs itself, so that a call needs no hand-over between threads; before it waits again it
/// sends what those jobs produced. The other threads, the followers, sleep. A monitor wakes them when the leader has
/// been busy for a while (one of them becomes the leader), when jobs are left lying, and when all threads are blocked
/// (it adds one). This is the leader/follower pattern, with a monitor like that of Go's scheduler instead of a
/// hand-over at each message.
///
/// After `stop`, jobs run on Swift's own pool.
package final class MeshExecutor: TaskExecutor {
    /// Nobody leads: 0. Otherwise the number of the leading thread times two, plus one while it is not receiving.
    private let leadership = Atomic<UInt64>(0)
    private let leaderBusySince = Atomic<UInt64>(0)
    private let jobsTaken = Atomic<UInt64>(0)
    let state = Mutex(State())
    private let transport: any MeshTransport
    private let limits: Limits
    let monitor: ExecutorMonitor
    private let allEnded = WakeSignal()

    /// How many threads there may be.
    package struct Limits: Sendable {
        /// Threads that are there from the start.
        package var initial = 2
        /// Threads at the most, when user code blocks them.
        package var maximum = 64
        package init() {}
    }

    struct State {
        var jobs = JobQueue()
        var parked: [ExecutorThread] = []
        var threadCount = 0
        var nextThreadNumber: UInt64 = 1
        var isStopped = false
        weak var delegate: (any MeshExecutorDelegate)?
    }

    package init(transport: any MeshTransport, limits: Limits = Limits()) {
        self.transport = transport
        self.limits = limits
        self.monitor = ExecutorMonitor()
        self.allEnded.reset()
    }

    package func start(delegate: any MeshExecutorDelegate) {
        self.state.withLock { $0.delegate = delegate }
        self.monitor.start { [weak self] now in self?.check(now: now) ?? .stop }
        for _ in 0..<self.limits.initial { self.addThread() }
    }

    /// Ends the threads once they have nothing to do. Does not wait for a job that blocks.
    package func stop() {
        let parked = self.state.withLock { state in
            state.isStopped = true
            defer { state.parked = [] }
            return state.parked
        }
        for thread in parked { thread.wake() }
        self.transport.interrupt()
        self.monitor.stop()
    }

    /// Waits until no thread of the executor runs any more, after `stop`. Returns false when one still does: it runs
    /// a job that blocks. Not to be called from one of them.
    package func join(nanoseconds: UInt64) -> Bool {
        if self.state.withLock({ $0.threadCount == 0 }) { return true }
        return self.allEnded.wait(nanoseconds: nanoseconds)
    }

    // MARK: Jobs

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let ownThread = self.isOwnThread
        let (stopped, thread) = self.state.withLock { state -> (Bool, ExecutorThread?) in
            if state.isStopped { return (true, nil) }
            state.jobs.append(job)
            return (false, ownThread ? nil : state.parked.popLast())
        }
        if stopped {
            globalConcurrentExecutor.enqueue(job)
        } else if ownThread {
            // This thread runs it when its present job ends; the monitor looks after it should that take long.
        } else if let thread {
            thread.wake()
            self.monitor.noteActivity()
        } else {
            self.monitor.noteActivity()
            if self.isLeaderReceiving { self.transport.interrupt() }
        }
    }

    /// Whether the calling thread is one of this executor's.
    var isOwnThread: Bool {
        guard let record = cmesh_thread_record() else { return false }
        return record == Unmanaged.passUnretained(self).toOpaque()
    }

    private var isLeaderReceiving: Bool {
        let word = self.leadership.load(ordering: .sequentiallyConsistent)
        return word != 0 && word & 1 == 0
    }

    /// Runs jobs until none is left.
    private func runJobs() {
        let executor = self.asUnownedTaskExecutor()
        while let job = self.state.withLock({ $0.jobs.popFirst() }) {
            self.jobsTaken.wrappingAdd(1, ordering: .relaxed)
            job.runSynchronously(on: executor)
        }
    }

    // MARK: Threads

    private func addThread() {
        let number = self.state.withLock { state -> UInt64? in
            guard !state.isStopped, state.threadCount < self.limits.maximum else { return nil }
            state.threadCount += 1
            defer { state.nextThreadNumber += 1 }
            return state.nextThreadNumber
        }
        guard let number else { return }
        let thread = ExecutorThread(number: number)
        let started = startThread(named: "mesh-\(number)") { self.run(thread) }
        if !started { self.state.withLock { $0.threadCount -= 1 } }
    }

    private func run(_ thread: ExecutorThread) {
        cmesh_set_thread_record(Unmanaged.passUnretained(self).toOpaque())
        while true {
            self.runJobs()
            let delegate = self.state.withLock { $0.delegate }
            delegate?.flush()
            if self.lead(thread, delegate) { continue }
            let stopped = self.state.withLock { state -> Bool in
                if state.isStopped { return true }
                if !state.jobs.isEmpty || self.leadership.load(ordering: .sequentiallyConsistent) == 0 { return false }
                thread.prepareToPark()
                state.parked.append(thread)
                return false
            }
            if stopped { break }
            thread.park()
        }
        cmesh_set_thread_record(nil)
        let isLast = self.state.withLock { state in
            state.threadCount -= 1
            return state.threadCount == 0
        }
        if isLast { self.allEnded.raise() }
    }

    /// Receives and runs what arrives, until the leadership is lost. Returns false when another thread leads or when
    /// the executor has been stopped.
    private func lead(_ thread: ExecutorThread, _ delegate: (any MeshExecutorDelegate)?) -> Bool {
        let receiving = thread.number << 1
        let busy = receiving | 1
        let (won, _) = self.leadership.compareExchange(
            expected: 0, desired: busy, ordering: .sequentiallyConsistent)
        guard won, let delegate else { return false }
        while true {
            self.runJobs()
            delegate.flush()
            let (kept, _) = self.leadership.compareExchange(
                expected: busy, desired: receiving, ordering: .sequentiallyConsistent)
            guard kept else { return true }
            let (hasJobs, stopped) = self.state.withLock { (!$0.jobs.isEmpty, $0.isStopped) }
            if stopped {
                self.leadership.store(0, ordering: .sequentiallyConsistent)
                return false
            }
            // Until what it took in is delivered this thread counts as receiving, so that nobody takes the leadership
            // from it: two threads that deliver at the same time would lose the order of the messages.
            if !hasJobs, let message = self.transport.receive(waiting: true) {
                delegate.receive(message)
                var more = 63
                while more > 0, let next = self.transport.receive(waiting: false) {
                    delegate.receive(next)
                    more -= 1
                }
            }
            self.leaderBusySince.store(cmesh_monotonic_nanoseconds(), ordering: .relaxed)
            self.leadership.store(busy, ordering: .sequentiallyConsistent)
            self.monitor.noteActivity()
        }
    }

    // MARK: The monitor's view

    /// Helps where work is stuck. Returns what the monitor does next.
    private func check(now: UInt64) -> ExecutorMonitor.Next {
        let (delegate, queued, stopped) = self.state.withLock { ($0.delegate, !$0.jobs.isEmpty, $0.isStopped) }
        guard let delegate, !stopped else { return .stop }

        let word = self.leadership.load(ordering: .sequentiallyConsistent)
        var isBusy = word & 1 == 1
        if isBusy, now > self.leaderBusySince.load(ordering: .relaxed) + 1_000_000 {
            // The leader has been running jobs for a while: another thread receives instead.
            let (taken, _) = self.leadership.compareExchange(
                expected: word, desired: 0, ordering: .sequentiallyConsistent)
            if taken { self.wakeOrAddThread() }
        }
        if queued {
            isBusy = true
            let taken = self.jobsTaken.load(ordering: .relaxed)
            let isStuck = taken == self.monitor.lastJobsTaken
            self.monitor.lastJobsTaken = taken
            if isStuck { self.wakeOrAddThread() } else { self.wakeThread() }
        }
        let next = delegate.tick(now: now)
        return isBusy ? .again : .idle(until: next)
    }

    private func wakeThread() {
        if let thread = self.state.withLock({ $0.parked.popLast() }) { thread.wake() }
    }

    private func wakeOrAddThread() {
        if let thread = self.state.withLock({ $0.parked.popLast() }) { thread.wake() } else { self.addThread() }
    }
}
