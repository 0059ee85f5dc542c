import Testing

@testable import MeshRuntime

@Suite struct ExecutorHealthTests {
    private static let look: UInt64 = 1_000_000

    /// Looks so many times, a millisecond apart, at what a closure says. Returns the last advice.
    private func assess(
        looks: Int, processorTime: UInt64 = 0, _ change: (Int, inout ExecutorHealth.Sample) -> Void
    ) -> ExecutorHealth.Advice {
        var health = ExecutorHealth()
        var advice = ExecutorHealth.Advice()
        for number in 1...looks {
            var sample = ExecutorHealth.Sample(
                now: UInt64(number) * Self.look, processorTime: UInt64(number) * processorTime, leaderBusySince: nil,
                leaderJobs: 0, leaderIsRunning: { true }, queuedJobs: 0, jobsTaken: 0, activeThreads: 1,
                runningThreads: { 1 }, parallelism: 2)
            change(number, &sample)
            advice = health.assess(sample)
        }
        return advice
    }

    @Test func aLeaderThatOneJobBlocksIsReplaced() {
        let advice = self.assess(looks: 2) { _, sample in
            sample.leaderBusySince = 1
            sample.leaderIsRunning = { false }
        }
        #expect(advice.replacesLeader)
    }

    @Test("a leader that waits for a lock now and then, and goes on, is left alone")
    func leaderThatGoesOn() {
        let advice = self.assess(looks: 50) { number, sample in
            sample.leaderBusySince = 1
            sample.leaderJobs = UInt64(number)
            sample.leaderIsRunning = { false }
        }
        #expect(!advice.replacesLeader)
    }

    @Test func aLeaderThatComputesForLongIsReplaced() {
        func advice(looks: Int) -> ExecutorHealth.Advice {
            self.assess(looks: looks, processorTime: Self.look) { _, sample in sample.leaderBusySince = 1 }
        }
        #expect(!advice(looks: 5).replacesLeader)
        #expect(advice(looks: 8).replacesLeader)
    }

    @Test func whenNoJobIsTakenAndNobodyRunsAnotherThreadDoesTheWork() {
        let advice = self.assess(looks: 4) { _, sample in
            sample.queuedJobs = 1
            sample.runningThreads = { 0 }
        }
        #expect(advice.addsRunner)
        #expect(advice.isBlocked)
    }

    @Test func aQueueThatOneThreadDoesNotWorkOffGetsAnother() {
        func advice(active: Int) -> ExecutorHealth.Advice {
            self.assess(looks: 4, processorTime: 2 * Self.look) { number, sample in
                sample.queuedJobs = 100
                sample.jobsTaken = UInt64(number)
                sample.activeThreads = active
            }
        }
        #expect(advice(active: 1).addsRunner)
        #expect(!advice(active: 1).isBlocked)
        #expect(!advice(active: 2).addsRunner)
    }
}
