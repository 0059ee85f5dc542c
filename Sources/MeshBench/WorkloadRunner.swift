import CMeshBench
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

    /// Starts the process and waits for its result, and until all that it started has ended. Blocks.
    static func run(_ workload: Workload, _ options: BenchOptions) throws -> BenchResult {
        // What it leaves behind becomes a child of this process, and is noticed.
        guard cmesh_bench_adopt_orphans() == 0 else { throw BenchError("orphans cannot be adopted") }
        let result = try self.answer(to: workload, options)
        let left = self.endOrphans(after: 2)
        guard left == 0 else { throw BenchError("it left \(left) processes behind") }
        return result
    }

    private static func answer(to workload: Workload, _ options: BenchOptions) throws -> BenchResult {
        defer { self.endOrphans(after: 2) }
        let assignment = try JSONEncoder().encode(Assignment(workload: workload.name, options: options))
        let process = try ChildProcess.own(
            environment: [Assignment.variable: String(decoding: assignment, as: UTF8.self)],
            capturesOutput: true
        )
        var isOrderly = false
        defer { if isOrderly { process.end(within: 5) } else { process.end() } }
        guard let output = try process.readLine(until: deadline(in: options.deadline)) else {
            throw BenchError("no result after \(Int(options.deadline)) s")
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(output)) else {
            throw BenchError("its process ended without a result")
        }
        isOrderly = true
        guard let result = answer.result else { throw BenchError(answer.error ?? "no result") }
        return result
    }

    /// Waits until all children have ended; ends those that are there after so many seconds. Returns how many.
    @discardableResult private static func endOrphans(after time: Double) -> Int {
        let end = deadline(in: time)
        var status: Int32 = 0
        while true {
            let process = waitpid(-1, &status, WNOHANG)
            if process > 0 || (process < 0 && errno == EINTR) { continue }
            if process < 0 { return 0 }
            guard now() < end else { break }
            usleep(2000)
        }
        let orphans = Self.children()
        for process in orphans { kill(process, SIGKILL) }
        while waitpid(-1, &status, 0) > 0 || errno == EINTR {}
        return orphans.count
    }

    private static func children() -> [Int32] {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return threads.flatMap { thread in
            (readTextFile("/proc/self/task/\(thread)/children") ?? "").split(separator: " ").compactMap { Int32($0) }
        }
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
        ChildProcess.answer([UInt8]((try? JSONEncoder().encode(answer)) ?? Data()))
        exit(0)
    }
}
