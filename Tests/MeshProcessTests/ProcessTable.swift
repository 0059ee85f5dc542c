import Foundation
import Glibc
import Testing

/// What the kernel knows of processes.
enum ProcessTable {
    /// The children of a process that have the name, those that have ended and were not waited for included.
    static func children(of parent: Int32 = getpid(), named name: String) -> [Int32] {
        self.numbers(in: "/proc").filter { process in
            guard let status = self.status(of: process) else { return false }
            return status.parent == parent && status.name == name
        }
    }

    /// Every process.
    static var all: [Int32] { self.numbers(in: "/proc") }

    /// Whether a process runs. One that has ended and was not waited for does not.
    static func isRunning(_ process: Int32) -> Bool {
        guard let status = self.status(of: process) else { return false }
        return status.state != "Z" && status.state != "X"
    }

    /// A process and when it started: numbers come again, and this does not.
    struct Life: Hashable, Sendable {
        let process: Int32
        fileprivate let start: String

        /// Whether that process still runs.
        var isRunning: Bool { ProcessTable.life(of: self.process) == self && ProcessTable.isRunning(self.process) }
    }

    /// The process that has a number now; nil when there is none.
    static func life(of process: Int32) -> Life? {
        self.status(of: process).map { Life(process: process, start: String($0.start)) }
    }

    /// Stops processes, and returns when every thread of them stands: until then they may still answer.
    static func freeze(_ processes: Int32...) async throws { try await self.freeze(processes) }

    static func freeze(_ processes: [Int32]) async throws {
        for process in processes { kill(process, SIGSTOP) }
        for process in processes { try await poll { self.isFrozen(process) } }
    }

    private static func isFrozen(_ process: Int32) -> Bool {
        self.numbers(in: "/proc/\(process)/task").allSatisfy {
            self.status(of: $0, in: "/proc/\(process)/task")?.state == "T"
        }
    }

    /// What this process gives its children: `NAME=VALUE`.
    static var environment: [String] {
        var entries: [String] = []
        var next = environ
        while let entry = next.pointee {
            entries.append(String(cString: entry))
            next += 1
        }
        return entries
    }

    private static func numbers(in path: String) -> [Int32] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var processes: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let process = Int32(name) { processes.append(process) }
        }
        return processes
    }

    private static func status(
        of process: Int32, in folder: String = "/proc"
    ) -> (name: String, state: Substring, parent: Int32, start: Substring)? {
        guard let text = self.read("\(folder)/\(process)/stat"), let open = text.firstIndex(of: "("),
            let close = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ")
        // The third field of all comes first here; the start is the 22nd.
        guard fields.count > 19, let parent = Int32(fields[1]) else { return nil }
        return (String(text[text.index(after: open)..<close]), fields[0], parent, fields[19])
    }

    /// What a process has of large objects: the files that it has open, and the memory that it has mapped.
    static func objects(of process: Int32) -> [String] {
        let open = self.numbers(in: "/proc/\(process)/fd").compactMap { descriptor in
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\(descriptor)")
        }
        let maps = (try? String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8)) ?? ""
        // On disk they have no name but a number.
        return (open + maps.split(separator: "\n").map(String.init)).filter {
            $0.contains("actormesh-object") || $0.contains("/#") && $0.hasSuffix("(deleted)")
        }
    }

    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
