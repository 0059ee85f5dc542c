import CMeshBench
import FoundationEssentials
import Glibc

/// On which cores the caller and the callee of a measurement run.
enum Pinning: String, Sendable, CaseIterable {
    /// Wherever the scheduler likes.
    case none
    /// Both on the same core.
    case oneCore = "one-core"
    /// A core each.
    case twoCores = "two-cores"

    /// Moves this process and its peers, with all the threads that they have, to their cores.
    func apply(toPeers peers: [Int32]) throws {
        guard self != .none else { return }
        let cores = try Self.available()
        guard let first = cores.first, cores.count >= (self == .twoCores ? 2 : 1) else {
            throw BenchError("there are not enough cores to pin to")
        }
        try Self.pin(getpid(), to: first)
        for peer in peers { try Self.pin(peer, to: self == .twoCores ? cores[1] : first) }
    }

    private static func available() throws -> [Int32] {
        var cores = [Int32](repeating: 0, count: 1024)
        let count = cmesh_bench_cores(&cores, Int32(cores.count))
        guard count > 0 else { throw BenchError("the cores of this process cannot be found out") }
        return Array(cores[..<Int(count)])
    }

    private static func pin(_ process: Int32, to core: Int32) throws {
        // Threads that are started later inherit it.
        let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task").compactMap(
            Int32.init
        )
        for thread in threads {
            guard cmesh_bench_pin(thread, core) == 0 || errno == ESRCH else {
                throw BenchError("process \(process) cannot be pinned: \(String(cString: strerror(errno)))")
            }
        }
    }
}
