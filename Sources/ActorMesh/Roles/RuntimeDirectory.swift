import FoundationEssentials
import Glibc
import MeshCore
import MeshRuntime

/// The folder in which the processes of a host have their sockets. Nobody else may enter it.
struct RuntimeDirectory: Sendable {
    let path: String

    /// Makes a folder for this process and those that it starts.
    static func make() throws(MeshError) -> RuntimeDirectory {
        let base = Self.base()
        guard mkdir(base, 0o700) == 0 || errno == EEXIST else {
            throw MeshError(
                .systemFailure, "The folder \(base) for sockets cannot be made. Set TMPDIR to one that can be written.",
                cause: describeErrno())
        }
        var status = stat()
        guard lstat(base, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
            status.st_mode & 0o077 == 0
        else {
            throw MeshError(.systemFailure, "\(base) must be a folder that only this user can enter.")
        }
        Self.sweep(base)
        let start = ProcessStatus.startTime(of: getpid()) ?? 0
        let path = "\(base)/\(getpid())-\(start)-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        guard mkdir(path, 0o700) == 0 else {
            throw MeshError(.systemFailure, "The folder \(path) for sockets cannot be made.", cause: describeErrno())
        }
        return RuntimeDirectory(path: path)
    }

    private static func base() -> String {
        // The address of a socket has at most 107 bytes, so a long TMPDIR is of no use.
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        return "\(folder.utf8.count < 40 ? folder : "/tmp")/actormesh-\(geteuid())"
    }

    /// Removes what processes left behind that were killed.
    private static func sweep(_ base: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] {
            let parts = name.split(separator: "-")
            guard parts.count == 3, let processID = Int32(parts[0]), let start = UInt64(parts[1]) else { continue }
            if ProcessStatus.startTime(of: processID) != start { RuntimeDirectory(path: "\(base)/\(name)").remove() }
        }
    }

    func endpoint(for peer: PeerID) -> String { "ipc://\(self.path)/\(peer)" }

    func remove() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? [] {
            unlink("\(self.path)/\(name)")
        }
        rmdir(self.path)
    }
}
