/// What to measure, and for how long.
public struct BenchOptions: Sendable, Codable {
    /// Short runs.
    public var isQuick: Bool
    /// The workloads to run, each with its variants; empty for all.
    public var only: [String]
    /// How long one run takes, in seconds; nil for the default of the speed.
    public var seconds: Double?

    /// Makes options.
    public init(isQuick: Bool = false, only: [String] = [], seconds: Double? = nil) {
        self.isQuick = isQuick
        self.only = only
        self.seconds = seconds
    }

    /// How often each workload is run.
    var runs: Int { self.isQuick ? 3 : 5 }

    /// How long one run of a workload takes, in seconds; one of its baseline takes half as long.
    var runTime: Double { self.seconds ?? (self.isQuick ? 0.2 : 1) }

    /// After so many seconds a workload counts as hanging.
    var deadline: Double { max(30, 15 + Double(self.runs) * self.runTime * 8) }
}
