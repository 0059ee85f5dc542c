import FoundationEssentials
import Glibc
package import MeshCore

/// A folder that only this user can enter, with a short path, for sockets.
package struct TemporaryDirectory: Sendable {
    package let path: String

    package init() throws(MeshError) {
        // Not under TMPDIR, which may be long: the path of a socket has at most 107 bytes (sun_path in unix(7)).
        var template = Array("/tmp/mesh-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw MeshError(.systemFailure, "No folder can be made under /tmp: error \(errno).")
        }
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package func remove() { try? FileManager.default.removeItem(atPath: self.path) }
}
