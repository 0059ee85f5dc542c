public import ActorMesh
import Glibc

/// Writes to its process's output, and ends its process in the middle of it.
public distributed actor Noisy: RemoteActor {
    /// How its process ends.
    public enum End: String, Codable, Sendable, CaseIterable {
        /// By a fatal error of Swift's.
        case fatalError
        /// By a signal that nobody catches.
        case signal
        /// By exiting.
        case exit

        /// Ends the process.
        package func happen() -> Never {
            switch self {
            case .fatalError: Swift.fatalError("on purpose")
            case .signal:
                kill(getpid(), SIGTERM)
                while true { pause() }
            case .exit: Glibc.exit(3)
            }
        }
    }

    private var memory: [[UInt8]] = []

    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// The process that it lives in.
    public distributed func processID() -> Int32 { getpid() }

    /// Prints a line.
    public distributed func say(_ line: String) { print(line) }

    /// Prints a line, writes another to standard error, and ends its process.
    public distributed func say(_ line: String, complain other: String, end: End) {
        print(line)
        self.complain(other)
        end.happen()
    }

    /// Prints so many lines of letters, all of that length, in pieces that are smaller than a line.
    public distributed func chatter(_ letter: String, length: Int, lines: Int) {
        let half = Array(String(repeating: letter, count: length / 2).utf8)
        let line = half + half + [UInt8(ascii: "\n")]
        for _ in 0..<lines {
            for piece in [line[..<half.count], line[half.count...]] {
                _ = piece.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            }
        }
    }

    /// Takes so much memory and uses it. Returns how much it has.
    public distributed func eat(mebibytes: Int) -> Int {
        for _ in 0..<mebibytes { self.memory.append([UInt8](repeating: 7, count: 1 << 20)) }
        return self.memory.count
    }

    private func complain(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
