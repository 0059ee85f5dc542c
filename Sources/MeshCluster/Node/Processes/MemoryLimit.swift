package import MeshRuntime

/// The most memory that a worker may have for its actor.
///
/// It is the system's `RLIMIT_DATA`, which counts the private memory that a process may write to, whether it has used it
/// or not: what `malloc` gets from the system, and the stacks of threads, 8 MiB each. It does not count the program and
/// its libraries, shared mappings, and files that are mapped to be read. What the process has before the actor is made
/// is not the actor's, so it comes on top, and so does room for what the runtime takes later for itself.
package enum MemoryLimit {
    /// For the runtime: threads that the mesh or Swift's own pool start later, and their heaps.
    package static let runtime = ByteCount.mebibytes(64)

    /// The limit for a process.
    ///
    /// - Parameters:
    ///   - used: what it has now.
    ///   - asked: what its actor asks for.
    package static func bytes(used: ByteCount, asked: ByteCount) -> UInt64 {
        let (sum, overflow) = asked.bytes.addingReportingOverflow(used.bytes + self.runtime.bytes)
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
