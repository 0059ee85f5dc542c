import CMeshPlatform
import FoundationEssentials
import Glibc
package import MeshCore
import MeshRuntime

/// A folder for logs that one process at a time has.
package final class LogDirectory: Sendable {
    package let path: String
    /// Holds the lock, which ends with the process.
    private let descriptor: Int32

    /// Makes the folder when there is none, and locks it.
    ///
    /// - Throws: `systemFailure` when it cannot be made, is not this user's alone, or another process has it.
    package init(_ path: String) throws(MeshError) {
        self.path = path
        guard Self.make(path) else {
            throw MeshError(.systemFailure, "The folder \(path) for logs cannot be made.", cause: describeErrno())
        }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() else {
            throw MeshError(.systemFailure, "\(path) must be a folder of this user, for logs.")
        }
        _ = chmod(path, 0o700)
        self.descriptor = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else {
            throw MeshError(.systemFailure, "The folder \(path) for logs cannot be used.", cause: describeErrno())
        }
        guard flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(self.descriptor)
            throw MeshError(
                .systemFailure, "The logs in \(path) are another process's, which runs. Give this one another folder.")
        }
    }

    deinit { close(self.descriptor) }

    private static func make(_ path: String) -> Bool {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return true }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return false }
        return self.make(String(path[..<slash])) && (mkdir(path, 0o700) == 0 || errno == EEXIST)
    }

    /// Removes the folder, when nothing but the lock is in it.
    package func remove() {
        unlink("\(self.path)/lock")
        rmdir(self.path)
    }
}

/// Memory with a descriptor and without a name.
func cmeshMemoryFile() -> Int32 { cmesh_memory_file("log-ring") }
