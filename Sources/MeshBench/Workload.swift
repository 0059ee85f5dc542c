import ActorMesh

/// One thing that is measured.
struct Workload: Sendable {
    /// The units in which results are given.
    enum Unit: String, Sendable, Codable {
        case microseconds = "µs"
        case milliseconds = "ms"
        case perSecond = "/s"
        case megabytes = "MB"
        case kibibytes = "KiB"
    }

    /// One run: our figure, and that of the baseline beside it.
    struct Sample: Sendable {
        var value: Double
        var baseline: Double?
    }

    var name: String
    var unit: Unit
    var target: Target?
    /// Makes all runs. Runs in a process of its own, and off any actor, so that it is on its mesh's own threads.
    var measure: @Sendable @concurrent (BenchOptions) async throws -> [Sample]

    init(
        _ name: String,
        _ unit: Unit,
        _ target: Target? = nil,
        measure: @escaping @Sendable @concurrent (BenchOptions) async throws -> [Sample]
    ) {
        self.name = name
        self.unit = unit
        self.target = target
        self.measure = measure
    }

    /// Whether a name from the command line means it: its own, or that of the workload whose variant it is.
    func isNamed(by name: String) -> Bool { self.name == name || self.name.hasPrefix(name + ".") }

    /// All of them, in the order in which they run.
    static let all: [Workload] =
        Self.calls + Self.rates + Self.large + Self.objects + Self.tasks + Self.pools
        + Self.spawns + Self.registry + Self.logs + Self.memory
}

/// What a figure should be.
enum Target: Sendable, CustomStringConvertible {
    case atMost(Double)
    case atLeast(Double)
    case ratioAtMost(Double)
    case ratioAtLeast(Double)

    /// Whether a result meets it; nil when it has no baseline to be compared with.
    func isMet(by result: BenchResult) -> Bool? {
        switch self {
        case .atMost(let limit): result.median <= limit
        case .atLeast(let limit): result.median >= limit
        case .ratioAtMost(let limit): result.ratio.map { $0 <= limit }
        case .ratioAtLeast(let limit): result.ratio.map { $0 >= limit }
        }
    }

    var description: String {
        switch self {
        case .atMost(let limit): "≤ \(number(limit))"
        case .atLeast(let limit): "≥ \(number(limit))"
        case .ratioAtMost(let limit): "≤ \(number(limit)) × baseline"
        case .ratioAtLeast(let limit): "≥ \(number(limit)) × baseline"
        }
    }
}
