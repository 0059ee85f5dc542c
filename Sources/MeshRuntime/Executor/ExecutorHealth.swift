/// Judges, from one look at the executor's threads to the next, whether they need help. A value without clocks.
///
/// Time is counted as processor time of the process wherever work is judged, so that a machine that is busy with other
/// things does not look like threads that are stuck.
struct ExecutorHealth {
    /// What the monitor sees. The closures ask the kernel and are called only when it matters.
    struct Sample {
        /// Nanoseconds of the clock, and of processor time that this process has used.
        var now: UInt64
        var processorTime: UInt64
        /// Since when the leader has been running jobs instead of receiving; nil when it receives or nobody leads.
        var leaderBusySince: UInt64?
        /// How many jobs the leader has taken.
        var leaderJobs: UInt64
        var leaderIsRunning: () -> Bool
        var queuedJobs: Int
        var jobsTaken: UInt64
        /// Threads that neither sleep nor wait for messages, nor were replaced because they were blocked.
        var activeThreads: Int
        var runningThreads: () -> Int
        var parallelism: Int
    }

    struct Advice: Hashable {
        /// Another thread should receive.
        var replacesLeader = false
        /// Another thread should run jobs.
        var addsRunner = false
        /// Whether that is so because those that there are do nothing.
        var isBlocked = false
    }

    /// The job of the leader that was seen last, and when that was first seen.
    private var turn: (since: UInt64, jobs: UInt64, now: UInt64, processorTime: UInt64) = (0, 0, 0, 0)
    private var window: (jobsTaken: UInt64, processorTime: UInt64) = (0, 0)
    private var idleLooks: (jobsTaken: UInt64, count: Int) = (0, 0)

    /// A leader that a job blocks is replaced after so long, from one look to the next,
    private static let blockedTime: UInt64 = 500_000
    /// and one that computes after so much processor time: two threads in each other's way are slower than one.
    private static let computingTime: UInt64 = 5_000_000
    /// How much processor time the pace of the jobs is judged by.
    private static let windowTime: UInt64 = 2_000_000

    mutating func assess(_ sample: Sample) -> Advice {
        var advice = Advice()
        if let since = sample.leaderBusySince {
            if self.turn.since != since || self.turn.jobs != sample.leaderJobs {
                self.turn = (since, sample.leaderJobs, sample.now, sample.processorTime)
            } else if sample.now > self.turn.now + Self.blockedTime {
                advice.replacesLeader =
                    sample.processorTime > self.turn.processorTime + Self.computingTime || !sample.leaderIsRunning()
            }
        }
        self.judgePace(sample, &advice)
        return advice
    }

    private mutating func judgePace(_ sample: Sample, _ advice: inout Advice) {
        self.idleLooks =
            sample.jobsTaken == self.idleLooks.jobsTaken
            ? (sample.jobsTaken, self.idleLooks.count + 1) : (sample.jobsTaken, 0)
        let isDue = sample.processorTime >= self.window.processorTime + Self.windowTime
        let jobs = Int(sample.jobsTaken - self.window.jobsTaken)
        if isDue { self.window = (sample.jobsTaken, sample.processorTime) }
        guard sample.queuedJobs > 0 else { return }
        // Nothing was taken for some looks and no thread wants a processor: all are blocked, or asleep.
        if self.idleLooks.count >= 2, sample.runningThreads() < min(sample.parallelism, max(1, sample.activeThreads)) {
            (advice.addsRunner, advice.isBlocked) = (true, true)
            return
        }
        // Short jobs that one thread works off in a few milliseconds are left to it.
        advice.addsRunner = isDue && sample.activeThreads < sample.parallelism && sample.queuedJobs > 4 * jobs
    }
}
