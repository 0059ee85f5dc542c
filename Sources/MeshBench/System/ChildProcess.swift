import ActorMesh
import CMeshPlatform
import Glibc
import MeshCluster

/// A process that this one starts, and that ends with it however that ends: it holds the reading end of a pipe whose
/// writing end nobody else has.
///
/// Not swift-subprocess: the child must be there beyond a scope, and start-up time is one of the things measured.
final class ChildProcess: Sendable {
    let processID: Int32
    private let lifeline: Int32
    private let output: Int32

    /// Where a child finds the pipe.
    static let lifelineDescriptor: Int32 = 3

    /// Starts this program again, told what to do by its environment.
    static func own(environment: [String: String], capturesOutput: Bool = false) throws -> ChildProcess {
        let command = WorkerLauncher.Command.own()
        return try ChildProcess(
            command.executable,
            command.arguments,
            environment: environment,
            capturesOutput: capturesOutput
        )
    }

    /// Starts a program.
    init(
        _ executable: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        capturesOutput: Bool = false
    ) throws {
        var lifeline: [Int32] = [-1, -1]
        var output: [Int32] = [-1, -1]
        guard cmesh_pipe(&lifeline) == 0, !capturesOutput || cmesh_pipe(&output) == 0 else {
            throw BenchError("no pipe can be made: \(String(cString: strerror(errno)))")
        }
        defer {
            close(lifeline[0])
            if capturesOutput { close(output[1]) }
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        if capturesOutput { posix_spawn_file_actions_adddup2(&actions, output[1], 1) }
        posix_spawn_file_actions_adddup2(&actions, lifeline[0], Self.lifelineDescriptor)

        var variables = currentEnvironment()
        variables.merge(environment) { $1 }
        let words = arguments.map { strdup($0) } + [nil]
        let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in words + settings { free(pointer) } }
        var processID: pid_t = 0
        let result = posix_spawn(&processID, executable, &actions, nil, words, settings)
        guard result == 0 else {
            close(lifeline[1])
            if capturesOutput { close(output[0]) }
            throw BenchError("\(executable) cannot be started: \(String(cString: strerror(result)))")
        }
        self.processID = processID
        self.lifeline = lifeline[1]
        self.output = output[0]
    }

    deinit {
        close(self.lifeline)
        if self.output >= 0 { close(self.output) }
    }

    /// In a child: ends the process as soon as its parent has ended.
    static func endWithParent() {
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            { _ in
                while ChildProcess.waitForNudge() {}
                _exit(0)
            },
            nil
        )
        pthread_detach(thread)
    }

    /// In a child: waits until its parent nudges it. Returns false when the parent has ended.
    static func waitForNudge() -> Bool {
        var byte: UInt8 = 0
        while true {
            let count = read(Self.lifelineDescriptor, &byte, 1)
            if count >= 0 { return count > 0 }
            guard errno == EINTR else { return false }
        }
    }

    /// Reads a line that it prints, or what there is when it ends; nil when that takes too long. Blocks.
    func readLine(until deadline: UInt64) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let now = cmesh_monotonic_nanoseconds()
            guard now < deadline else { return nil }
            var wanted = pollfd(fd: self.output, events: Int16(POLLIN), revents: 0)
            guard poll(&wanted, 1, Int32(min(1000, (deadline - now) / 1_000_000 + 1))) > 0 else { continue }
            let count = read(self.output, &chunk, chunk.count)
            if count <= 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            if bytes.last == UInt8(ascii: "\n") { return bytes }
        }
    }

    /// Reads a number that it prints. Blocks.
    func readNumber(within time: Double = 30) throws -> Double {
        let line = try self.readLine(until: deadline(in: time)).map { String(decoding: $0, as: UTF8.self) }
        guard let line, let value = Double(line.filter { $0 != "\n" }) else {
            throw BenchError("a helper process gave no figure: \(line ?? "it takes too long")")
        }
        return value
    }

    /// In a child: writes a line to its parent.
    static func answer(_ text: String) { Self.answer(Array(text.utf8)) }

    /// In a child: writes a line to its parent.
    static func answer(_ bytes: [UInt8]) {
        var rest = (bytes + [UInt8(ascii: "\n")])[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Tells it to go on, when it waits for that.
    func nudge() {
        var byte: UInt8 = 1
        _ = write(self.lifeline, &byte, 1)
    }

    /// Ends it and waits until it has ended. Once only.
    func end() {
        kill(self.processID, SIGKILL)
        self.wait()
    }

    /// Waits until it has ended, and ends it if that takes too long. Once only.
    func end(within time: Double) {
        let end = deadline(in: time)
        var status: Int32 = 0
        while now() < end {
            guard waitpid(self.processID, &status, WNOHANG) == 0 else { return }
            usleep(2000)
        }
        self.end()
    }

    /// Waits until it has ended. Once only.
    func wait() {
        var status: Int32 = 0
        while waitpid(self.processID, &status, 0) < 0, errno == EINTR {}
    }
}
