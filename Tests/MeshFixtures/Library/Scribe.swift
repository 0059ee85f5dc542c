public import ActorMesh
import Glibc

/// Writes down in a file what it runs, so that it is known after its process was killed.
public distributed actor Scribe: RemoteActor {
    /// What it is made from.
    public struct Arguments: Codable, Sendable {
        /// The file to append to.
        public var path: String

        /// Makes arguments.
        public init(path: String) { self.path = path }
    }

    private let descriptor: Int32

    /// Opens the file.
    public init(_ arguments: Arguments, actorSystem: Mesh) throws {
        self.actorSystem = actorSystem
        self.descriptor = open(arguments.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else { throw Refusal.closed }
    }

    deinit { close(self.descriptor) }

    /// Writes down that a caller's call runs, and in which life.
    public distributed func write(_ caller: String, _ number: Int) -> UInt64 {
        let life = ActorContext.current.incarnation
        self.append("\(caller) \(number) \(life)\n")
        return life
    }

    /// The same, and says so to the witness; ends when that has seen "go".
    public distributed func writeAndHold(_ caller: String, _ number: Int, _ witness: Witness) async throws -> UInt64 {
        let life = self.write(caller, number)
        try await witness.reach("held")
        try await witness.wait(for: "go", count: 1)
        return life
    }

    /// The process that it lives in.
    public distributed func processID() -> Int32 { getpid() }

    /// One call of the system, so that a line is there whole or not at all.
    private func append(_ line: String) {
        let bytes = Array(line.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(self.descriptor, $0.baseAddress, $0.count) }
    }
}
