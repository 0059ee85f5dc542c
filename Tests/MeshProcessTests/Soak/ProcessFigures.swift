import FoundationEssentials
import Glibc
import MeshRuntime

/// What a process uses now, by what the kernel says.
struct ProcessFigures: Hashable, Sendable {
    /// Resident memory, in kilobytes.
    var memory = 0
    var descriptors = 0
    var threads = 0

    /// Nil for a process that has ended.
    init?(of process: Int32) {
        guard let status = readSmallFile("/proc/\(process)/status"),
            let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")
        else { return nil }
        self.descriptors = descriptors.count
        for line in status.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1, let number = Int(words[1]) else { continue }
            switch words[0] {
            case "VmRSS:": self.memory = number
            case "Threads:": self.threads = number
            default: break
            }
        }
    }
}

extension ProcessFigures: CustomStringConvertible {
    var description: String {
        "\(String(self.memory).padding(6)) KB \(String(self.descriptors).padding(4)) fds "
            + "\(String(self.threads).padding(3)) threads"
    }
}

extension String {
    /// The text at the right of so many columns.
    fileprivate func padding(_ width: Int) -> String {
        String(repeating: " ", count: max(0, width - self.count)) + self
    }
}
