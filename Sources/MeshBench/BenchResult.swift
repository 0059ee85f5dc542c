/// What a workload has come to.
public struct BenchResult: Sendable, Codable {
    /// The workload's name.
    public var workload: String
    /// The unit of `median`, `min`, `max` and `baseline`.
    public var unit: String
    /// The median of the runs.
    public var median: Double
    /// The least of the runs.
    public var min: Double
    /// The greatest of the runs.
    public var max: Double
    /// How many runs there were.
    public var runs: Int
    /// The median of the raw runs beside them; nil where there is nothing to compare with.
    public var baseline: Double?
    /// Ours to the baseline.
    public var ratio: Double?

    init(_ workload: Workload, _ samples: [Workload.Sample]) throws {
        let values = samples.map(\.value).sorted()
        guard let least = values.first, let greatest = values.last else { throw BenchError("it made no run") }
        let baselines = samples.compactMap(\.baseline).sorted()
        let baseline = baselines.isEmpty ? nil : percentile(baselines, 0.5)
        self.workload = workload.name
        self.unit = workload.unit.rawValue
        self.median = rounded(percentile(values, 0.5))
        self.min = rounded(least)
        self.max = rounded(greatest)
        self.runs = values.count
        self.baseline = baseline.map(rounded)
        self.ratio = baseline.flatMap { $0 > 0 ? rounded(percentile(values, 0.5) / $0) : nil }
    }

    /// For people: `41.3 µs (40.1 … 43.0), baseline 38.2, ratio 1.08`.
    var summary: String {
        var text = "\(number(self.median)) \(self.unit) (\(number(self.min)) … \(number(self.max)))"
        if let baseline, let ratio { text += ", baseline \(number(baseline)), ratio \(number(ratio))" }
        return text
    }
}

/// The value below which that part of sorted values lies.
func percentile(_ sorted: [Double], _ part: Double) -> Double {
    guard let last = sorted.last else { return .nan }
    let position = part * Double(sorted.count - 1)
    let index = Int(position)
    guard index + 1 < sorted.count else { return last }
    return sorted[index] + (sorted[index + 1] - sorted[index]) * (position - Double(index))
}

/// Four significant digits are more than a measurement has.
func rounded(_ value: Double) -> Double {
    guard value.isFinite, value != 0 else { return value }
    var scale = 1.0
    while abs(value) * scale < 1000, scale < 1e9 { scale *= 10 }
    return (value * scale).rounded() / scale
}
