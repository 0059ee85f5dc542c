import CMeshPlatform
import Glibc
package import MeshCore
import Synchronization

/// What the executor's threads do besides running jobs.
package protocol MeshExecutorDelegate: AnyObject, Sendable {
    /// Takes a message that has arrived. Called by one thread at a time, in the order of arrival.
    func receive(_ message: InboundMessage)
    /// Sends what was gathered during a turn.
    func flush()
    /// Called about every millisecond while something runs, and when a timer is due. Returns when to call again.
    ///
    /// - Parameter isLast: whether it is not called before that time unless something happens.
    func tick(now: UInt64, isLast: Bool) -> UInt64?
}

/// Threads that take turns receiving, and run what they received themselves.
///
/// One thread, the leader, waits in the transport. What a message makes runnable (an actor's call, a caller whose
/// result has come) the leader runs itself, so that a call needs no hand-over between threads; before it waits again it
/// sends what those jobs produced. The other threads, the followers, sleep. A monitor wakes them when the leader has
/// been busy for a while (one of them becomes the leader), when jobs are left lying, and when all threads are blocked
/// (it adds one). When there are as many as there may be and all are blocked, one more thread receives and does nothing
/// else, so that the process still answers for its life. This is the leader/follower pattern, with a monitor like that
/// of Go's scheduler instead of a hand-over at each message.
///
/// After `stop`, jobs run on Swift's own pool.
package final class MeshExecutor: TaskExecutor {
    /// Nobody leads: 0. Otherwise the number of the leading thread times two, plus one while it is not receiving.
    let leadership = Atomic<UInt64>(0)
    let leaderBusySince = Atomic<UInt64>(0)
    let jobsTaken = Atomic<UInt64>(0)
    private let callsStarted = Atomic<UInt64>(0)
    let state = Mutex(State())
    private let transport: any MeshTransport
    let limits: Limits
    let monitor: ExecutorMonitor
    private let allEnded = WakeSignal()

    /// How many threads there may be.
    package struct Limits: Sendable {
        /// Threads that are there from the start.
        package var initial = 2
        /// Threads at the most, when user code blocks them.
        package var maximum = 64
        /// Those beyond the first end when they have had nothing to do for so long, in nanoseconds.
        package var idleTime: UInt64 = 10_000_000_000
        /// Threads that run at the same time while none is blocked.
        package var parallelism = max(2, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        package init() {}
    }

    struct State {
        var jobs = JobQueue()
        var parked: [ExecutorThread] = []
        var threadCount = 0
        /// Whether there is a thread that only receives.
        var hasReceiver = false
        /// The threads that run, with the kernel's numbers.
        var threads: [UInt64: (thread: ExecutorThread, kernelNumber: Int32)] = [:]
        /// How many of them were replaced because they were blocked.
        var replaced = 0
        var nextThreadNumber: UInt64 = 1
        var isStopped = false
        weak var delegate: (any MeshExecutorDelegate)?

        /// How many threads run jobs, now or when there are some.
        var runners: Int { self.threadCount - (self.hasReceiver ? 1 : 0) }

        /// How many threads neither sleep nor were replaced.
        var activeThreads: Int { self.threadCount - self.parked.count - self.replaced }
    }

    package init(transport: any MeshTransport, limits: Limits = Limits()) {
        self.transport = transport
        self.limits = limits
        self.monitor = ExecutorMonitor()
        self.allEnded.reset()
    }

    package func start(delegate: any MeshExecutorDelegate) {
        self.state.withLock { $0.delegate = delegate }
        self.monitor.start { [weak self] now, isLast in self?.check(now: now, isLast: isLast) ?? .stop }
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
        // As soon as another thread has the job that may run to its end, and with it the last reference to this may go.
        let kept = ownThread ? nil : Unmanaged.passRetained(self)
        defer { kept?.release() }
        let parallelism = self.limits.parallelism
        let (stopped, thread) = self.state.withLock { state -> (Bool, ExecutorThread?) in
            if state.isStopped { return (true, nil) }
            state.jobs.append(job)
            return (false, ownThread || state.activeThreads >= parallelism ? nil : state.parked.popLast())
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

    /// Lets what has arrived and become runnable have its turn. Called by those who start one call after the other
    /// without a suspension: every so often the thread receives and runs what waits, instead of a second thread that
    /// would do so in its way.
    package func breathe() async {
        guard self.callsStarted.wrappingAdd(1, ordering: .relaxed).newValue & 63 == 0, self.isOwnThread else { return }
        await Task.yield()
    }

    /// Runs jobs until none is left, or so many, or the thread is replaced.
    private func runJobs(_ thread: ExecutorThread, limit: Int = .max) {
        let executor = self.asUnownedTaskExecutor()
        var left = limit
        while left > 0, !thread.isReplaced.load(ordering: .relaxed),
            let job = self.state.withLock({ $0.jobs.popFirst() })
        {
            self.jobsTaken.wrappingAdd(1, ordering: .relaxed)
            thread.jobsTaken.wrappingAdd(1, ordering: .relaxed)
            job.runSynchronously(on: executor)
            left -= 1
        }
    }

    // MARK: Threads

    func addThread() {
        let number = self.state.withLock { state -> UInt64? in
            guard !state.isStopped, state.runners < self.limits.maximum else { return nil }
            state.threadCount += 1
            defer { state.nextThreadNumber += 1 }
            return state.nextThreadNumber
        }
        guard let number else { return self.addReceiver() }
        let thread = ExecutorThread(number: number)
        let started = startThread(named: "mesh-\(number)") { self.run(thread) }
        if !started { self.state.withLock { $0.threadCount -= 1 } }
    }

    /// Starts a thread that receives while all others are blocked, if nobody does.
    private func addReceiver() {
        let number = self.state.withLock { state -> UInt64? in
            guard !state.isStopped, !state.hasReceiver,
                self.leadership.load(ordering: .sequentiallyConsistent) == 0
            else { return nil }
            state.hasReceiver = true
            state.threadCount += 1
            defer { state.nextThreadNumber += 1 }
            return state.nextThreadNumber
        }
        guard let number else { return }
        let started = startThread(named: "mesh-\(number)") {
            if let delegate = self.state.withLock({ $0.delegate }) { self.receiveOnly(number, delegate) }
            self.threadEnds { $0.hasReceiver = false }
        }
        if !started {
            self.state.withLock { state in
                state.hasReceiver = false
                state.threadCount -= 1
            }
        }
    }

    /// Receives until another thread is free to lead. What becomes runnable waits for one.
    private func receiveOnly(_ number: UInt64, _ delegate: any MeshExecutorDelegate) {
        let receiving = number << 1
        let (won, _) = self.leadership.compareExchange(
            expected: 0, desired: receiving, ordering: .sequentiallyConsistent)
        while won {
            if let message = self.transport.receive(waiting: true) { delegate.receive(message) }
            delegate.flush()
            let (free, stopped) = self.state.withLock { ($0.parked.popLast(), $0.isStopped) }
            guard free != nil || stopped else { continue }
            self.leadership.store(0, ordering: .sequentiallyConsistent)
            free?.wake()
            return
        }
    }

    private func threadEnds(_ change: (inout State) -> Void) {
        let isLast = self.state.withLock { state in
            state.threadCount -= 1
            change(&state)
            return state.threadCount == 0
        }
        if isLast { self.allEnded.raise() }
    }

    private func run(_ thread: ExecutorThread) {
        cmesh_set_thread_record(Unmanaged.passUnretained(self).toOpaque())
        let kernelThread = cmesh_thread_id()
        self.state.withLock { $0.threads[thread.number] = (thread, kernelThread) }
        while true {
            // Lead first, if nobody does: a job that blocks this thread would leave the others without a leader, which
            // the monitor takes for a moment's change of hands. A leader that blocks is replaced.
            let delegate = self.state.withLock { $0.delegate }
            if self.lead(thread, delegate) { continue }
            self.runJobs(thread)
            delegate?.flush()
            switch self.afterJobs(thread) {
            case .goOn: continue
            case .park(let handsOver, let mayEnd):
                if handsOver, self.isLeaderReceiving { self.transport.interrupt() }
                if mayEnd, !thread.park(nanoseconds: self.limits.idleTime), self.retires(thread) { break }
                // Whoever has taken it from those that are parked wakes it.
                thread.park()
                continue
            case .end: break
            }
            break
        }
        cmesh_set_thread_record(nil)
        self.threadEnds { state in
            state.threads[thread.number] = nil
            Self.takeBack(thread, &state)
        }
    }

    /// Takes a thread that has slept for long from those that are parked, if it is one too many.
    private func retires(_ thread: ExecutorThread) -> Bool {
        self.state.withLock { state in
            guard !state.isStopped, state.runners > self.limits.initial,
                let index = state.parked.firstIndex(where: { $0 === thread })
            else { return false }
            state.parked.remove(at: index)
            return true
        }
    }

    private enum AfterJobs {
        case goOn
        /// Sleep; somebody else is to look after the jobs that are left, if any are. One of those that are not there from
        /// the start may end.
        case park(handsOver: Bool, mayEnd: Bool)
        case end
    }

    private func afterJobs(_ thread: ExecutorThread) -> AfterJobs {
        self.state.withLock { state in
            if state.isStopped { return .end }
            let hasLeader = self.leadership.load(ordering: .sequentiallyConsistent) != 0
            // Once it is free again it is one too many, if others do its work.
            let isSurplus = Self.takeBack(thread, &state) && state.activeThreads > self.limits.parallelism
            if !hasLeader || !state.jobs.isEmpty && !isSurplus { return .goOn }
            thread.prepareToPark()
            state.parked.append(thread)
            return .park(handsOver: !state.jobs.isEmpty, mayEnd: state.runners > self.limits.initial)
        }
    }

    /// A thread that was replaced is free again. Returns whether it was.
    @discardableResult
    private static func takeBack(_ thread: ExecutorThread, _ state: inout State) -> Bool {
        guard thread.isReplaced.exchange(false, ordering: .relaxed) else { return false }
        state.replaced -= 1
        return true
    }

    /// Receives and runs what arrives, until the leadership is lost. Returns false when another thread leads or when
    /// the executor has been stopped.
    private func lead(_ thread: ExecutorThread, _ delegate: (any MeshExecutorDelegate)?) -> Bool {
        let receiving = thread.number << 1
        let busy = receiving | 1
        let (won, _) = self.leadership.compareExchange(
            expected: 0, desired: busy, ordering: .sequentiallyConsistent)
        guard won, let delegate else { return false }
        if thread.isReplaced.load(ordering: .relaxed) {
            self.state.withLock { state in _ = Self.takeBack(thread, &state) }
        }
        while true {
            // Many short jobs must not keep what arrives waiting.
            self.runJobs(thread, limit: 64)
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
            if let message = self.transport.receive(waiting: !hasJobs) {
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
}
