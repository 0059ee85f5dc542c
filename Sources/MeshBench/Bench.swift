import ActorMesh
import FoundationEssentials
import Glibc
import MeshCluster

/// Measures a mesh. The program that calls it is driver, worker and raw peer of its own measurements.
public enum Bench {
    /// Takes the process over when a benchmark has started it as a raw peer or for one workload; returns
    /// in any other. Call it first in `main`, before the command line is read.
    @concurrent public static func takeOver() async {
        do {
            if let role = try HelperRole.take() { try await role.serve() }
            if let assignment = try WorkloadRunner.Assignment.take() { await WorkloadRunner.serve(assignment) }
        } catch {
            fail("process", error)
        }
    }

    private static func fail(_ what: String, _ error: any Error) -> Never {
        printError("mesh bench: a \(what) could not start: \(error)")
        exit(70)
    }

    /// The names among the options that no workload has.
    public static func unknownNames(in options: BenchOptions) -> [String] {
        options.only.filter { name in !Workload.all.contains { $0.isNamed(by: name) } }
    }

    /// The workloads with their units and targets, one on each line.
    public static func list() -> String {
        let width = Workload.all.map(\.name.count).max() ?? 0
        return Workload.all.map { workload in
            "\(pad(workload.name, width))  \(pad(workload.unit.rawValue, 4))  \(workload.target?.description ?? "")"
        }.joined(separator: "\n")
    }

    /// Runs the workloads, one after the other, and says on standard error how it goes.
    @concurrent public static func run(_ options: BenchOptions) async -> BenchReport {
        let chosen = Workload.all.filter { workload in
            options.only.isEmpty || options.only.contains { workload.isNamed(by: $0) }
        }
        let width = chosen.map(\.name.count).max() ?? 0
        var report = BenchReport()
        for workload in chosen {
            let start = now()
            do {
                let result = try WorkloadRunner.run(workload, options)
                printError("\(pad(workload.name, width)) \(result.summary) [\(number(seconds(since: start))) s]")
                report.results.append(result)
            } catch {
                printError("\(pad(workload.name, width)) failed: \(error)")
                report.failures.append(workload.name)
            }
        }
        return report
    }
}

/// A measurement that could not be made.
struct BenchError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Writes a line to standard error at once.
func printError(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}
