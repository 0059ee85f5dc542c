import CMeshPlatform
import Glibc
package import MeshCore
import MeshRuntime
import Synchronization

/// Starts worker processes: this program's own executable again, told by its environment to be a worker.
///
/// `posix_spawn` and not swift-subprocess: a worker outlives the scope that starts it, must hold one end of the pipe
/// that ends it with its node, has its output in pipes that one
/// thread reads for all, and must not inherit any other descriptor.
package final class WorkerLauncher: Sendable {
    package struct Command: Sendable {
        package var executable: String
        package var arguments: [String]

        package init(executable: String, arguments: [String]) {
            self.executable = executable
            self.arguments = arguments
        }

        /// This process's own command line, with which a program comes to the place where it joins its mesh.
        package static func own() -> Command {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
            let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
            let executable =
                count > 0
                ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
                : CommandLine.arguments[0]
            return Command(executable: executable, arguments: CommandLine.arguments)
        }
    }

    private let command: Command
    /// Every worker has the reading end of this pipe and nobody else the writing end: it closes when this process
    /// ends in any way, and the workers end with it.
    private let lifeline: Mutex<(reading: Int32, writing: Int32)>
    private let forwarder: OutputForwarder
    /// Where what the workers say goes for the collector.
    package let logs: NodeLogs
    private let nextLog = Atomic<UInt64>(1)
    private let memoryKills: MemoryKillCounter

    /// Makes a launcher.
    ///
    /// - Parameters:
    ///   - logs: what takes what the workers say.
    ///   - output: where the workers' standard output and standard error go.
    ///   - memoryEvents: where the system counts the processes that it ends for want of memory; nil: where it does so
    ///     for this process.
    package init(
        command: Command, logs: NodeLogs = NodeLogs(node: "node"),
        output: [Int32] = [STDOUT_FILENO, STDERR_FILENO], memoryEvents: [String]? = nil
    ) throws(MeshError) {
        var ends: [Int32] = [-1, -1]
        guard cmesh_pipe(&ends) == 0 else {
            throw MeshError(.systemFailure, "No pipe can be made.", cause: describeErrno())
        }
        self.command = command
        self.logs = logs
        self.forwarder = OutputForwarder(destinations: output)
        self.memoryKills = MemoryKillCounter(files: memoryEvents ?? MemoryKills.ownFiles)
        self.lifeline = Mutex((ends[0], ends[1]))
    }

    /// Where a worker finds the pipe.
    package static let lifelineDescriptor: Int32 = 3
    /// Where it finds the ring for its log records, and what wakes the node for them.
    package static let ringDescriptor: Int32 = 4
    package static let doorbellDescriptor: Int32 = 5

    /// Starts a process. What it writes is forwarded to this process's own output from now on.
    package func launch(environment: [String: String]) throws(MeshError) -> LaunchedWorker {
        let (output, writing, ring) = try self.makeOutput()
        defer { for descriptor in writing + [ring] { Glibc.close(descriptor) } }
        let kills = self.memoryKills.count()
        let processID = try self.spawn(environment: environment, output: writing, ring: ring)
        output.log.began(processID)
        return LaunchedWorker(
            processID: processID, output: output, memoryKills: self.memoryKills, killsBefore: kills)
    }

    /// A pipe for each of a worker's streams, and a ring. Their writing ends and the ring are the caller's to close.
    private func makeOutput() throws(MeshError) -> (output: WorkerOutput, writing: [Int32], ring: Int32) {
        let number = self.nextLog.wrappingAdd(1, ordering: .relaxed).oldValue
        let (log, made) = try self.logs.makeWorker(number)
        let ring = cmesh_lift(made)
        var reading: [Int32] = []
        var writing: [Int32] = []
        for _ in WorkerOutput.Stream.allCases {
            var ends: [Int32] = [-1, -1]
            guard cmesh_pipe(&ends) == 0 else {
                let cause = describeErrno()
                for descriptor in reading + writing + [ring] { Glibc.close(descriptor) }
                throw MeshError(.systemFailure, "No pipe can be made.", cause: cause)
            }
            // The worker's own end stays blocking: it waits when it writes faster than this process can forward.
            _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
            reading.append(ends[0])
            writing.append(ends[1])
        }
        let output = WorkerOutput(reading: reading, forwarder: self.forwarder, log: log)
        do {
            try output.listen()
        } catch {
            for descriptor in writing + [ring] { Glibc.close(descriptor) }
            throw error
        }
        return (output, writing, ring)
    }

    private func spawn(
        environment: [String: String], output: [Int32], ring: Int32
    ) throws(MeshError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for stream in WorkerOutput.Stream.allCases {
            posix_spawn_file_actions_adddup2(&actions, output[stream.rawValue], stream.descriptor)
        }
        let reading = self.lifeline.withLock { $0.reading }
        posix_spawn_file_actions_adddup2(&actions, reading, Self.lifelineDescriptor)
        posix_spawn_file_actions_adddup2(&actions, ring, Self.ringDescriptor)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: Ctrl-C is for the program, which then ends its workers in good order.
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var variables = currentEnvironment()
        variables.merge(environment) { $1 }
        let arguments = self.command.arguments.map { strdup($0) } + [nil]
        let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in arguments + settings { free(pointer) } }
        var processID: pid_t = 0
        let result = posix_spawn(&processID, self.command.executable, &actions, &attributes, arguments, settings)
        guard result == 0 else {
            throw MeshError(
                .systemFailure, "The worker \(self.command.executable) cannot be started.",
                cause: String(cString: strerror(result)))
        }
        return processID
    }

    /// Ends every worker that is still there. What they have written is still forwarded.
    package func close() {
        self.lifeline.withLock { ends in
            guard ends.writing >= 0 else { return }
            Glibc.close(ends.writing)
            Glibc.close(ends.reading)
            ends = (-1, -1)
        }
    }

    /// Reads what is left of the workers' output, and closes their pipes. Calls `whenForwarded` when all of it was
    /// written to this process's own output. Call it when the workers have ended: nobody reads what they write later.
    package func closeOutput(whenForwarded: @escaping @Sendable () -> Void) {
        self.forwarder.close(whenForwarded: whenForwarded)
    }

    deinit {
        self.close()
        self.closeOutput {}
    }
}

/// This process's environment.
package func currentEnvironment() -> [String: String] {
    var variables: [String: String] = [:]
    var next = environ
    while let entry = next.pointee {
        let text = String(cString: entry)
        if let separator = text.firstIndex(of: "=") {
            variables[String(text[..<separator])] = String(text[text.index(after: separator)...])
        }
        next += 1
    }
    return variables
}
