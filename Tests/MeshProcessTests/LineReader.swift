import CMeshPlatform
import Glibc
import MeshCore

/// A pipe, and the lines that come out of it.
///
/// `@unchecked Sendable`: what changes is used by one reader at a time, the test.
final class LineReader: @unchecked Sendable {
    private(set) var reading: Int32
    /// What to write to.
    private(set) var writing: Int32
    private var buffer: [UInt8] = []

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard cmesh_pipe(&ends) == 0 else { throw MeshError(.systemFailure, "No pipe: \(errno).") }
        (self.reading, self.writing) = (ends[0], ends[1])
    }

    /// The next line, or what comes before the end; nil at the end, which comes when nobody can write any more.
    @concurrent func line() async -> String? {
        while true {
            if let end = self.buffer.firstIndex(of: UInt8(ascii: "\n")) {
                defer { self.buffer.removeSubrange(...end) }
                return String(decoding: self.buffer[..<end], as: UTF8.self)
            }
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            let count = read(self.reading, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                defer { self.buffer = [] }
                return self.buffer.isEmpty ? nil : String(decoding: self.buffer, as: UTF8.self)
            }
            self.buffer += chunk[..<count]
        }
    }

    /// All lines up to the end.
    @concurrent func lines() async -> [String] {
        var lines: [String] = []
        while let line = await self.line() { lines.append(line) }
        return lines
    }

    /// The first line that begins with a text; nil when there is none.
    @concurrent func line(after prefix: String) async -> String? {
        while let line = await self.line() { if line.hasPrefix(prefix) { return line } }
        return nil
    }

    /// Lets only others write from now on.
    func closeWriting() {
        if self.writing >= 0 { close(self.writing) }
        self.writing = -1
    }

    /// Lets nobody read any more.
    func closeReading() {
        if self.reading >= 0 { close(self.reading) }
        self.reading = -1
    }

    deinit {
        self.closeWriting()
        self.closeReading()
    }
}
