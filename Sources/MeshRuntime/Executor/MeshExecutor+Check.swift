import CMeshPlatform
import Synchronization

/// What the monitor sees of the executor's threads, and does where work is stuck.
extension MeshExecutor {
    /// Helps where work is stuck. Returns what the monitor does next.
    func check(now: UInt64, isLast: Bool) -> ExecutorMonitor.Next {
        let word = self.leadership.load(ordering: .sequentiallyConsistent)
        let leadsBusily = word & 1 == 1
        let (delegate, queued, stopped, active, leader) = self.state.withLock { state in
            (state.delegate, state.jobs.count, state.isStopped, state.activeThreads, state.threads[word >> 1]?.thread)
        }
        guard let delegate, !stopped else { return .stop }

        let advice = self.monitor.health.assess(
            ExecutorHealth.Sample(
                now: now,
                processorTime: cmesh_process_nanoseconds(),
                leaderBusySince: leadsBusily ? self.leaderBusySince.load(ordering: .relaxed) : nil,
                leaderJobs: leader?.jobsTaken.load(ordering: .relaxed) ?? 0,
                leaderIsRunning: { self.isRunning(leader: word >> 1) },
                queuedJobs: queued,
                jobsTaken: self.jobsTaken.load(ordering: .relaxed),
                activeThreads: active - (word != 0 && !leadsBusily ? 1 : 0),
                runningThreads: self.runningThreads,
                parallelism: self.limits.parallelism
            )
        )
        if advice.replacesLeader {
            let (taken, _) = self.leadership.compareExchange(
                expected: word, desired: 0, ordering: .sequentiallyConsistent)
            if taken {
                if let leader { self.replace([leader]) }
                self.wakeOrAddThread()
            }
        } else if advice.addsRunner {
            if advice.isBlocked { self.replace(self.blockedThreads(except: word >> 1)) }
            self.wakeOrAddThread()
        }
        let isBusy = leadsBusily || queued > 0
        let next = delegate.tick(now: now, isLast: isLast)
        return isBusy ? .again : .idle(until: next)
    }

    /// Has others do the work of threads that are blocked, until they are free again.
    private func replace(_ threads: [ExecutorThread]) {
        self.state.withLock { state in
            for thread in threads where state.threads[thread.number] != nil {
                guard !state.parked.contains(where: { $0 === thread }),
                    !thread.isReplaced.exchange(true, ordering: .relaxed)
                else { continue }
                state.replaced += 1
            }
        }
    }

    /// The threads that neither sleep for want of work nor want a processor.
    private func blockedThreads(except leader: UInt64) -> [ExecutorThread] {
        let threads = self.state.withLock { state in
            state.threads.values.filter { entry in
                entry.thread.number != leader && !state.parked.contains { $0 === entry.thread }
            }
        }
        return threads.filter { !ProcessStatus.isRunning(thread: $0.kernelNumber) }.map(\.thread)
    }

    /// How many of the threads want a processor, as the kernel sees it.
    private func runningThreads() -> Int {
        let threads = self.state.withLock { $0.threads.values.map(\.kernelNumber) }
        return threads.count { ProcessStatus.isRunning(thread: $0) }
    }

    private func isRunning(leader number: UInt64) -> Bool {
        guard let thread = self.state.withLock({ $0.threads[number]?.kernelNumber }) else { return false }
        return ProcessStatus.isRunning(thread: thread)
    }

    private func wakeOrAddThread() {
        if let thread = self.state.withLock({ $0.parked.popLast() }) { thread.wake() } else { self.addThread() }
    }
}
