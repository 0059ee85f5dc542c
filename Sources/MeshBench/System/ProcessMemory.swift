import FoundationEssentials
import Glibc

/// What a process takes of main memory, in bytes.
struct ProcessMemory {
    /// Its pages that are there.
    var resident: Double
    /// The same, with a page that several processes have counted in parts.
    var proportional: Double

    init(of process: Int32) throws {
        guard let text = readTextFile("/proc/\(process)/smaps_rollup"),
            let resident = Self.field("Rss:", of: text), let proportional = Self.field("Pss:", of: text)
        else { throw BenchError("the memory of process \(process) cannot be read") }
        self.resident = resident
        self.proportional = proportional
    }

    private static func field(_ name: String, of text: String) -> Double? {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            return line.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 * 1024 }
        }
        return nil
    }
}

/// The text of one of the kernel's files; nil when it cannot be read.
func readTextFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        guard count >= 0 else { return nil }
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes.append(contentsOf: chunk[..<count])
    }
}
