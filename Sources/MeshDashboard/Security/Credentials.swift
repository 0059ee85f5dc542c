import FoundationEssentials
import Glibc
package import MeshCore
package import MeshSecurity

/// By what somebody shows that he may change the mesh.
package enum Credentials: Sendable {
    /// The mesh key, of which this dashboard has one itself.
    case meshKey(MeshKey)
    /// The code in a file that only this user can read; for a mesh without a key.
    case code(String, file: String)
    /// Nobody may: this dashboard cannot change anything itself.
    case none(reason: String)

    /// Which of them a dashboard has with a key of its own.
    ///
    /// - Parameters:
    ///   - keyFile: the file of its key; nil in a mesh without one.
    ///   - codeFile: where to write the code in a mesh without a key.
    /// - Throws: `unauthorized` when the key cannot be read, `systemFailure` when the code cannot be written.
    package init(keyFile: String?, codeFile: () throws(MeshError) -> String) throws(MeshError) {
        guard let keyFile else {
            let (file, code) = (try codeFile(), Secrets.random())
            try Self.write(code, to: file)
            self = .code(code, file: file)
            return
        }
        let key = try KeyFile.read(keyFile)
        self =
            key.identity.role == .observer
            ? .none(reason: "This dashboard runs with an observer's key, which can only look.") : .meshKey(key)
    }

    /// Whether a text is what it has to be.
    func accept(_ text: String) -> Bool {
        switch self {
        case .meshKey(let own):
            guard text.utf8.count <= 4096, let key = try? KeyFile.read(pasted: text) else { return false }
            return key.members == own.members
        case .code(let code, _): return Secrets.areEqual(text.filter { !$0.isWhitespace }, code)
        case .none: return false
        }
    }

    private static func write(_ code: String, to path: String) throws(MeshError) {
        // One that an earlier dashboard left behind is of no use to anybody.
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw MeshError(
                .systemFailure, "The code for signing in cannot be written to \(path).",
                cause: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        let line = Array("\(code)\n".utf8)
        guard line.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == line.count else {
            throw MeshError(
                .systemFailure, "The code for signing in cannot be written to \(path).",
                cause: String(cString: strerror(errno)))
        }
    }
}
