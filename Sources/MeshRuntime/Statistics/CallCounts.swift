/// What was counted of the calls of one life of an actor. A value without a clock.
struct CallCounts: Sendable {
    /// How many have ended.
    private(set) var calls: UInt64 = 0
    /// How many of them ended with an error.
    private(set) var failures: UInt64 = 0
    /// For how long calls ran, all together, in nanoseconds.
    private(set) var busy: UInt64 = 0
    private(set) var latencies = LatencyHistogram()

    /// A call has ended that ran for so long.
    mutating func record(nanoseconds: UInt64) {
        self.calls += 1
        self.busy &+= nanoseconds
        self.latencies.record(nanoseconds: nanoseconds)
    }

    mutating func noteFailure() { self.failures += 1 }
}
