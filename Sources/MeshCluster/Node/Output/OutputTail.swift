/// The last lines that a process wrote, for whoever asks why it ended.
///
/// Blank lines are left out, and of the report that Swift's runtime prints of a crash only the head is kept: its
/// registers and images would push out what the process itself had to say.
package struct OutputTail: Hashable, Sendable {
    /// So many lines are kept.
    package static let lineLimit = 20
    /// So many bytes of each.
    package static let lengthLimit = 1 << 10

    /// A line that has no end yet, as far as it is kept.
    private struct OpenLine: Hashable {
        var bytes: [UInt8] = []
        var report = CrashReport()
    }

    private var ended: [String] = []
    /// One for standard output and one for standard error.
    private var open = [OpenLine(), OpenLine()]

    package init() {}

    /// The last lines, the oldest first; those without an end come last.
    package var lines: [String] {
        let unfinished = self.open.map { Self.text($0.bytes) }.filter { !Self.isBlank($0) }
        return (self.ended + unfinished).suffix(Self.lineLimit)
    }

    /// Takes what was written to one of the two streams.
    package mutating func append(_ bytes: ArraySlice<UInt8>, from stream: WorkerOutput.Stream) {
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            self.extend(stream, rest[..<end])
            self.endLine(stream)
            rest = rest[(end + 1)...]
        }
        self.extend(stream, rest)
    }

    private mutating func extend(_ stream: WorkerOutput.Stream, _ bytes: ArraySlice<UInt8>) {
        let room = Self.lengthLimit - self.open[stream.rawValue].bytes.count
        self.open[stream.rawValue].bytes += bytes.prefix(room)
    }

    private mutating func endLine(_ stream: WorkerOutput.Stream) {
        let text = Self.text(self.open[stream.rawValue].bytes)
        self.open[stream.rawValue].bytes.removeAll(keepingCapacity: true)
        guard !Self.isBlank(text), self.open[stream.rawValue].report.keeps(text) else { return }
        self.ended.append(text)
        // Not at every line: what is removed at the front moves all the others.
        if self.ended.count >= 4 * Self.lineLimit { self.ended.removeFirst(self.ended.count - Self.lineLimit) }
    }

    private static func isBlank(_ text: String) -> Bool { text.utf8.allSatisfy { $0 == 0x20 || (9...13).contains($0) } }

    /// What is no UTF-8 is repaired; a character that the limit has cut is left out.
    private static func text(_ bytes: [UInt8]) -> String {
        var bytes = bytes[...]
        if bytes.count == Self.lengthLimit, let lead = bytes.suffix(4).lastIndex(where: { $0 & 0xc0 != 0x80 }) {
            // As many ones as the first byte of a character begins with, so many bytes it has.
            let length = (~bytes[lead]).leadingZeroBitCount
            if length > bytes.count - (lead - bytes.startIndex) { bytes = bytes[..<lead] }
        }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Finds the report that Swift's runtime prints of a crash among the lines of a stream.
package struct CrashReport: Hashable, Sendable {
    /// So many frames of the thread that crashed are kept, the innermost.
    package static let frameLimit = 6

    /// What happened: `*** Program crashed: Bad pointer dereference at 0x0000000000000010 ***`.
    package static let headline = "*** Program crashed: "

    private enum Place: Hashable {
        case outside
        /// In a part that tells little: other threads, registers, images.
        case inside
        /// Among the frames of the thread that crashed; so many were kept.
        case frames(Int)
    }

    private var place = Place.outside

    package init() {}

    /// Whether a line is worth keeping.
    package mutating func keeps(_ line: String) -> Bool {
        if line.hasPrefix("swift-runtime: ") { return false }
        if line.hasPrefix("*** Signal "), line.contains(": Backtracing from ") {
            self.place = .inside
            return false
        }
        if line.hasPrefix(Self.headline) {
            self.place = .inside
            return true
        }
        guard self.place != .outside else { return true }
        if line.hasPrefix("Backtrace took ") {
            self.place = .outside
        } else if line.hasPrefix("Thread "), line.hasSuffix(" crashed:") {
            self.place = .frames(0)
        } else if line == "..." || line.hasPrefix("Thread ") || line.hasPrefix("Registers:") {
            self.place = .inside
        } else if case .frames(let count) = self.place, count < Self.frameLimit {
            self.place = .frames(count + 1)
            return true
        }
        return false
    }
}
