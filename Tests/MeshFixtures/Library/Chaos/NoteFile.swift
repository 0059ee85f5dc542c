import ActorMesh
import FoundationEssentials
import Glibc
package import MeshTesting

/// A file to which several processes append notes, a line each. A note that was added is there whatever becomes of the
/// process; one that is killed while it adds one may leave the part of it that fills a page.
package final class NoteFile: Sendable {
    private let descriptor: Int32

    /// Opens it, or makes it.
    package init(_ path: String) throws {
        self.descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else { throw MeshError(.systemFailure, "\(path) cannot be opened: \(errno).") }
    }

    /// Appends a note.
    package func add(_ note: CallEvidence.Note) throws {
        // What comes after a part of a note begins a line of its own.
        let line = Data("\n".utf8) + (try JSONEncoder().encode(note)) + Data("\n".utf8)
        // One write of few bytes to a file that is only appended to is never torn by another.
        let count = line.withUnsafeBytes { write(self.descriptor, $0.baseAddress, $0.count) }
        guard count == line.count else { throw MeshError(.systemFailure, "A note could not be written: \(errno).") }
    }

    /// Reads all notes of a file.
    package static func notes(in path: String) throws -> [CallEvidence.Note] {
        let decoder = JSONDecoder()
        return try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: UInt8(ascii: "\n")).compactMap {
            line in
            do {
                return try decoder.decode(CallEvidence.Note.self, from: line)
            } catch {
                // The kernel copies a page at a time, and lets a signal that kills come between.
                guard line.endIndex % Int(sysconf(Int32(_SC_PAGESIZE))) == 0 else { throw error }
                return nil
            }
        }
    }

    deinit { close(self.descriptor) }
}

/// Nanoseconds of a clock that all processes of the host share.
package func hostTime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
