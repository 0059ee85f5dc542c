package import MeshRuntime

/// The most memory that a worker may have for its actor.
///
/// It is the system's `RLIMIT_DATA`, which counts the private memory that a process may write to, whether it has used it
/// or not: what `malloc` gets from the system, and the stacks of threads, 8 MiB each. It does not count the program and
/// its libraries, shared mappings, and files that are mapped to be read. What the process has before the actor is made
/// is not the actor's, so it comes on top, and so does room for what the runtime takes later for itself.
package enum MemoryLimit {
    /// What the runtime may take later: for each processor the stacks of two threads, one of the mesh's and one of
    /// Swift's own pool, and as much again as an idle worker has apart from its stacks, for its heaps and libzmq's
    /// buffers. An idle worker has ten threads, 77 MiB by this count, of which 9 MiB are in memory.
    package static func runtime(processors: Int) -> ByteCount { .mebibytes(32 + 2 * 8 * Int64(processors)) }

    /// The limit for a process.
    ///
    /// - Parameters:
    ///   - used: what it has now.
    ///   - asked: what its actor asks for.
    ///   - processors: how many the machine has.
    package static func bytes(used: ByteCount, asked: ByteCount, processors: Int) -> UInt64 {
        let others = used.bytes + self.runtime(processors: processors).bytes
        let (sum, overflow) = asked.bytes.addingReportingOverflow(others)
        return overflow ? UInt64(Int64.max) : UInt64(max(0, sum))
    }

    /// What a process has, by the text of its `/proc/PID/status`.
    package static func dataSize(status: String) -> ByteCount? {
        for line in status.split(separator: "\n") where line.hasPrefix("VmData:") {
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return fields.count > 1 ? Int64(fields[1]).map { .kibibytes($0) } : nil
        }
        return nil
    }
}
