import FoundationEssentials
import Glibc
import MeshCluster
import MeshCore

/// The folder in which a node keeps what its collector does not have yet.
enum LogSpoolFolder {
    /// Opens the one that was named, or that of this node in that mesh.
    ///
    /// - Throws: `systemFailure` when it cannot be used.
    static func open(_ path: String?, node: String, broker: String) throws(MeshError) -> LogDirectory {
        if let path { return try LogDirectory(path) }
        let base = self.base()
        guard mkdir(base, 0o700) == 0 || errno == EEXIST else {
            throw MeshError(
                .systemFailure,
                "The folder \(base) for logs cannot be made: \(describeErrno()). \(Self.advice)")
        }
        var status = stat()
        guard lstat(base, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
            status.st_mode & 0o077 == 0
        else {
            throw MeshError(
                .systemFailure, "\(base) must be a folder that only this user can enter. \(Self.advice)")
        }
        let name = self.plain("\(node)@\(broker)")
        self.sweep(base, except: name)
        // There may be several nodes of one name.
        for number in 0..<64 {
            let path = number == 0 ? "\(base)/\(name)" : "\(base)/\(name)-\(number)"
            if let directory = try? LogDirectory(path) { return directory }
        }
        return try LogDirectory("\(base)/\(name)")
    }

    private static let advice = "Set TMPDIR to one that can be written, or give the node one with --log-spool."

    private static func base() -> String {
        "\(getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp")/actormesh-\(geteuid())-spool"
    }

    private static func plain(_ text: String) -> String {
        let kept = text.utf8.map { byte -> Character in
            let isPlain = byte == UInt8(ascii: "@") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
            let scalar = UnicodeScalar(byte)
            return isPlain || (byte < 0x80 && scalar.properties.isAlphabetic) || ("0"..."9").contains(scalar)
                ? Character(scalar) : "_"
        }
        return String(kept.prefix(200))
    }

    /// Removes what nodes left behind that did not come back for a week.
    private static func sweep(_ base: String, except name: String) {
        for other in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] where other != name {
            let path = "\(base)/\(other)"
            var status = stat()
            guard stat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec > 7 * 86_400,
                let directory = try? LogDirectory(path)
            else { continue }
            for file in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] { unlink("\(path)/\(file)") }
            directory.remove()
        }
    }
}
