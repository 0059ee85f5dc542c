import CMeshPlatform
import Glibc
import MeshCore

/// A run of the fixtures program in a role of its own, and the lines that it prints. It is killed when this goes.
///
/// `@unchecked Sendable`: the buffer is used by one reader at a time, the test.
final class FixtureProgram: @unchecked Sendable {
    let processID: Int32
    private let output: Int32
    private var buffer: [UInt8] = []

    init(_ arguments: String...) throws {
        var ends: [Int32] = [-1, -1]
        guard cmesh_pipe(&ends) == 0 else { throw MeshError(.systemFailure, "No pipe: \(errno).") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        let command = ([fixturesExecutable] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in command { free(pointer) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, fixturesExecutable, &actions, nil, command, environ)
        close(ends[1])
        guard result == 0 else { throw MeshError(.systemFailure, "\(fixturesExecutable): error \(result).") }
        self.processID = process
        self.output = ends[0]
    }

    /// The next line that it prints; nil at its end.
    @concurrent func line() async -> String? {
        while true {
            if let end = self.buffer.firstIndex(of: UInt8(ascii: "\n")) {
                defer { self.buffer.removeSubrange(...end) }
                return String(decoding: self.buffer[..<end], as: UTF8.self)
            }
            var chunk = [UInt8](repeating: 0, count: 1024)
            let count = read(self.output, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return nil }
            self.buffer += chunk[..<count]
        }
    }

    /// Sends it a signal.
    func send(_ signal: Int32) { kill(self.processID, signal) }

    /// Waits until it has ended. Returns its exit status, or the negative number of the signal that ended it.
    @concurrent func wait() async -> Int32 {
        var status: Int32 = 0
        while waitpid(self.processID, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
    }

    deinit {
        kill(self.processID, SIGKILL)
        waitpid(self.processID, nil, 0)
        close(self.output)
    }
}
