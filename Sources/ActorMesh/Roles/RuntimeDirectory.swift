import FoundationEssentials
import Glibc
import MeshCore
import MeshRuntime
import Synchronization

/// The folder in which the processes of a host have their sockets. Nobody else may enter it.
struct RuntimeDirectory: Sendable {
    let path: String

    /// Makes the folder for all processes of this user, in which each has its own.
    fileprivate static func makeBase() throws(MeshError) -> String {
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
        return base
    }

    /// Makes a folder for this process and those that it starts.
    static func make() throws(MeshError) -> RuntimeDirectory {
        let base = try Self.makeBase()
        Self.sweep(base)
        let start = String(ProcessStatus.startTime(of: getpid()) ?? 0, radix: 36)
        let number = String(Self.made.add(1, ordering: .relaxed).newValue, radix: 36)
        let path = "\(base)/\(getpid())-\(start)-\(Self.processSpace())-\(number)"
        guard mkdir(path, 0o700) == 0 else {
            throw MeshError(.systemFailure, "The folder \(path) for sockets cannot be made.", cause: describeErrno())
        }
        return RuntimeDirectory(path: path)
    }

    /// How many folders this process has made.
    private static let made = Atomic<UInt32>(0)

    /// Which process table the numbers of processes belong to: containers may share the folder, and have each their own.
    private static func processSpace() -> String {
        var status = stat()
        guard stat("/proc/self/ns/pid", &status) == 0 else { return "0" }
        return String(status.st_ino, radix: 36)
    }

    private static func base() -> String {
        // The address of a socket has at most 107 bytes, so a long TMPDIR is of no use.
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        return "\(folder.utf8.count < 40 ? folder : "/tmp")/actormesh-\(geteuid())"
    }

    /// Removes what processes left behind that were killed. What those of other containers left only they can tell.
    private static func sweep(_ base: String) {
        let space = Self.processSpace()
        for name in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] {
            let parts = name.split(separator: "-")
            guard parts.count == 4, parts[2] == space, let processID = Int32(parts[0]),
                let start = UInt64(parts[1], radix: 36)
            else { continue }
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

/// The path of a file in the folder that only this user can enter.
///
/// - Throws: `systemFailure` when there is no such folder.
package func privateFile(_ name: String) throws(MeshError) -> String { "\(try RuntimeDirectory.makeBase())/\(name)" }
