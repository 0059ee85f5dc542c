import CMeshPlatform
import FoundationEssentials
import Glibc
import MeshCore

/// A run of the fixtures program in a role of its own, and the lines that it prints. It is killed when this goes.
final class FixtureProgram: Sendable {
    let processID: Int32
    private let output: LineReader
    /// What it writes to standard error.
    let errors: LineReader
    /// What it reads.
    private let input: InputPipe

    convenience init(_ arguments: String..., environment: [String: String] = [:]) throws {
        try self.init(arguments, environment: environment)
    }

    /// Runs the program with arguments, and with variables beside those of this process.
    ///
    /// - Parameters:
    ///   - host: where to run it; nil: where this process is.
    ///   - tool: a command that runs it.
    init(
        _ arguments: [String], environment: [String: String] = [:], on host: NetworkHost? = nil,
        within tool: [String] = []
    ) throws {
        let (output, errors, input) = (try LineReader(), try LineReader(), try InputPipe())
        defer {
            output.closeWriting()
            errors.closeWriting()
            input.closeReading()
        }
        let streams = [input.reading, output.writing, errors.writing]
        self.processID =
            if let host {
                // It ends with the host's thread.
                try host.perform {
                    try Self.start(
                        ["/usr/bin/env", "setpriv", "--pdeathsig", "KILL", fixturesExecutable] + arguments, environment,
                        streams)
                }
            } else {
                try Self.start(
                    (tool.isEmpty ? [] : ["/usr/bin/env"] + tool) + [fixturesExecutable] + arguments, environment,
                    streams)
            }
        (self.output, self.errors, self.input) = (output, errors, input)
    }

    private static func start(
        _ arguments: [String], _ environment: [String: String], _ streams: [Int32]
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, streams[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, streams[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, streams[2], STDERR_FILENO)
        let command = arguments.map { strdup($0) } + [nil]
        defer { for pointer in command { free(pointer) } }
        let inherited = ProcessTable.environment.filter { entry in
            !environment.keys.contains { entry.hasPrefix("\($0)=") }
        }
        // What workers print is looked at as they print it.
        let environment = ["MESH_WORKER_OUTPUT": "plain"].merging(environment) { $1 }
        let variables = (inherited + environment.map { "\($0)=\($1)" }).map { strdup($0) } + [nil]
        defer { for pointer in variables { free(pointer) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, arguments[0], &actions, nil, command, variables)
        guard result == 0 else { throw MeshError(.systemFailure, "\(arguments[0]): error \(result).") }
        return process
    }

    /// The next line that it prints; nil at its end.
    @concurrent func line() async -> String? { await self.output.line() }

    /// Reads no more of what it prints: whoever writes there gets an error.
    func closeOutput() { self.output.closeReading() }

    /// Gives it a line to read.
    func tell(_ line: String) { self.input.write(line + "\n") }

    /// Gives it nothing more to read.
    func closeInput() { self.input.closeWriting() }

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
    }
}
