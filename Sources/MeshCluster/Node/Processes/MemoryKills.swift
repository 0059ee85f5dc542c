import MeshRuntime
import Synchronization

/// The processes of a control group that the system has ended for want of memory, and which of them are accounted for.
///
/// The system counts them and does not say which they were.
package struct MemoryKills: Hashable, Sendable {
    private var count: UInt64?
    private var unclaimed: UInt64 = 0

    /// Begins with what there was before any process was started.
    package init(count: UInt64?) { self.count = count }

    /// Takes a new count; nil when there is none.
    package mutating func note(_ count: UInt64?) {
        if let count, let before = self.count, count > before { self.unclaimed += count - before }
        self.count = count ?? self.count
    }

    /// Accounts for one process that was killed and that nobody is known to have killed. Returns whether the system did
    /// it: there is a kill that no other process has claimed, and it came after the process was started.
    package mutating func claim(since start: UInt64?) -> Bool {
        guard let start, let count = self.count, count > start, self.unclaimed > 0 else { return false }
        self.unclaimed -= 1
        return true
    }

    // MARK: Where the count is

    /// The files in which the kernel may count for this process, the most fitting first.
    ///
    /// - Parameters:
    ///   - groups: the text of `/proc/self/cgroup`.
    ///   - root: where the groups are mounted.
    package static func files(groups: String, root: String = "/sys/fs/cgroup") -> [String] {
        let entries = groups.split(separator: "\n").compactMap { line -> (controllers: [Substring], path: Substring)? in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            return (fields[1].split(separator: ","), fields[2] == "/" ? "" : fields[2])
        }
        let unified = entries.filter { $0.controllers.isEmpty }.map { "\(root)\($0.path)/memory.events" }
        let memory = entries.filter { $0.controllers.contains("memory") }
        // In a container the path may be the host's, while what is mounted is the container's own group.
        return unified + memory.map { "\(root)/memory\($0.path)/memory.oom_control" }
            + [root + "/memory.events", root + "/memory/memory.oom_control"]
    }

    /// The files for this process.
    static var ownFiles: [String] { self.files(groups: readSmallFile("/proc/self/cgroup") ?? "") }

    /// The count in the text of `memory.events` (v2) or `memory.oom_control` (v1).
    package static func count(in text: String) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix("oom_kill ") {
            return UInt64(line.dropFirst("oom_kill ".count))
        }
        return nil
    }
}

/// Reads the count for this process's own group.
final class MemoryKillCounter: Sendable {
    /// The file that has the count; nil when this system has none.
    private let file: String?
    private let kills: Mutex<MemoryKills>

    /// Finds the file.
    init(files: [String]) {
        self.file = files.first { readSmallFile($0).flatMap(MemoryKills.count(in:)) != nil }
        self.kills = Mutex(MemoryKills(count: self.file.flatMap(readSmallFile).flatMap(MemoryKills.count(in:))))
    }

    /// How many there are now.
    func count() -> UInt64? { self.file.flatMap(readSmallFile).flatMap(MemoryKills.count(in:)) }

    /// Looks how many there are now, and lets `body` account for one.
    func withCount<Result>(_ body: (inout MemoryKills) -> Result) -> Result {
        self.kills.withLock { kills in
            kills.note(self.count())
            return body(&kills)
        }
    }
}
