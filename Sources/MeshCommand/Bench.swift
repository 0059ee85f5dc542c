import ArgumentParser
import MeshBench

/// `mesh bench`: measures this mesh and, in the same run, what the C libraries below it can do.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures calls, tasks and spawns, next to raw libzmq and bare processes.",
        discussion: """
            Each workload runs several times in a process of its own, alternating with its baseline; the medians are
            reported. Compare ratios, not absolute figures: they depend on the machine and on what else it does.
            The status is 1 when a workload failed; missed targets do not count as failures.

            Examples:
              mesh bench --quick
              mesh bench --only call.sync.p50,echo.1MiB --seconds 2
              mesh bench --list
              mesh bench --format json > before.json
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
    }

    @Flag(help: "Short runs: all workloads in less than a minute.")
    var quick = false

    @Option(help: "How to print the results.")
    var format = Format.table

    @Option(help: "Only these workloads, with their variants: names separated by commas, as --list shows them.")
    var only: String?

    @Flag(help: "Print the names of the workloads and their targets.")
    var list = false

    @Option(help: "How long one run of one workload takes, in seconds.")
    var seconds: Double?

    func validate() throws {
        if let seconds, !(0.01...600).contains(seconds) {
            throw ValidationError("--seconds takes 0.01 to 600, not \(seconds).")
        }
        if let only, only.allSatisfy({ $0 == "," || $0 == " " }) {
            throw ValidationError("--only takes names of workloads. See mesh bench --list.")
        }
    }

    func run() async throws {
        if self.list {
            print(Bench.list())
            return
        }
        let names = self.only?.split(separator: ",").map { $0.trimmingPrefix { $0 == " " } }.map(String.init)
        let options = BenchOptions(isQuick: self.quick, only: names ?? [], seconds: self.seconds)
        let unknown = Bench.unknownNames(in: options)
        guard unknown.isEmpty else {
            throw ValidationError("There is no workload \(unknown.joined(separator: ", ")). See mesh bench --list.")
        }
        let report = await Bench.run(options)
        switch self.format {
        case .table: print(report.table)
        case .json: print(report.json)
        }
        if !report.failures.isEmpty { throw ExitCode(1) }
    }
}
