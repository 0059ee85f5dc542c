import Glibc
import MeshCore
import Synchronization

/// What another process reads: a pair of sockets, because writing to a pipe that nobody reads any more is a signal.
final class InputPipe: Sendable {
    private struct Ends {
        var reading: Int32
        var writing: Int32
    }

    private let ends: Mutex<Ends>

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw MeshError(.systemFailure, "No pair of sockets: \(errno).")
        }
        self.ends = Mutex(Ends(reading: ends[0], writing: ends[1]))
    }

    /// What the other process gets.
    var reading: Int32 { self.ends.withLock { $0.reading } }

    /// Writes a text, if somebody reads.
    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = self.ends.withLock { send($0.writing, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
    }

    func closeReading() { self.ends.withLock { Self.close(&$0.reading) } }
    func closeWriting() { self.ends.withLock { Self.close(&$0.writing) } }

    private static func close(_ descriptor: inout Int32) {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    deinit {
        self.closeReading()
        self.closeWriting()
    }
}
