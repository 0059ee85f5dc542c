import CMeshPlatform
import FoundationEssentials
import Glibc

/// Runs each workload in a process of its own: one that crashes or hangs takes nothing with it, and what one leaves
/// behind in memory, threads or pinning does not change the figures of the next.
enum WorkloadRunner {
    /// What such a process is to do.
    struct Assignment: Codable {
        var workload: String
        var options: BenchOptions

        static let variable = "ACTORMESH_BENCH_WORKLOAD"

        /// The assignment of this process, if it has one.
        static func take() throws -> Assignment? {
            guard let pointer = getenv(Self.variable) else { return nil }
            let text = String(cString: pointer)
            unsetenv(Self.variable)
            return try JSONDecoder().decode(Assignment.self, from: Data(text.utf8))
        }
    }

    private struct Answer: Codable {
        var result: BenchResult?
        var error: String?
    }

    /// Starts the process and waits for its result. Blocks.
    static func run(_ workload: Workload, _ options: BenchOptions) throws -> BenchResult {
        let assignment = try JSONEncoder().encode(Assignment(workload: workload.name, options: options))
        let process = try ChildProcess.own(
            environment: [Assignment.variable: String(decoding: assignment, as: UTF8.self)], capturesOutput: true)
        defer { process.end() }
        let output = try process.readLine(
            until: cmesh_monotonic_nanoseconds() + UInt64(options.deadline * 1e9))
        guard let output else { throw BenchError("no result after \(Int(options.deadline)) s") }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(output)) else {
            throw BenchError("its process ended without a result")
        }
        guard let result = answer.result else { throw BenchError(answer.error ?? "no result") }
        return result
    }

    /// The part of the process that was started.
    static func serve(_ assignment: Assignment) async -> Never {
        ChildProcess.endWithParent()
        // A mesh of its own, whatever the environment says.
        unsetenv("MESH_ADDRESS")
        var answer = Answer()
        do {
            guard let workload = Workload.all.first(where: { $0.name == assignment.workload }) else {
                throw BenchError("there is no workload \(assignment.workload)")
            }
            answer.result = try BenchResult(workload, try await workload.measure(assignment.options))
        } catch {
            answer.error = "\(error)"
        }
        let data = ((try? JSONEncoder().encode(answer)) ?? Data()) + Data("\n".utf8)
        _ = data.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
        exit(0)
    }
}
