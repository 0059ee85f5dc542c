import CMeshPlatform
import Foundation
import MeshRuntime
import Synchronization

/// A process that a test runs: its lines can be awaited, and it ends with the test, also when the test is killed.
final class Child: Sendable {
    let processID: Int32
    let name: String
    private let input: FileHandle
    private let guardian: Guardian
    private let state = Mutex(State())

    private struct State {
        var lines: [String] = []
        /// How many of them have been looked at.
        var seen = 0
        /// Counts the changes.
        var version = 0
        var isClosed = false
        var status: Int32?
        var waiters: [UnsafeContinuation<Void, Never>] = []
    }

    /// Starts an executable that stands beside the tests.
    convenience init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        try self.init(at: Binaries.url(program), arguments, environment: environment)
    }

    /// Starts any executable.
    init(at executable: URL, _ arguments: [String], environment: [String: String] = [:]) throws {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        var variables = ProcessInfo.processInfo.environment
        variables["MESH_ADDRESS"] = nil
        variables["MESH_KEY_FILE"] = nil
        process.environment = variables.merging(environment) { $1 }
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        self.name = ([executable.lastPathComponent] + arguments).joined(separator: " ")
        self.processID = process.processIdentifier
        self.input = input.fileHandleForWriting
        self.guardian = try Guardian(of: process.processIdentifier)
        Thread.detachNewThread { self.read(output.fileHandleForReading) }
        process.terminationHandler = { self.note(endOf: $0) }
        // It may have ended before anybody could be told.
        if !process.isRunning { self.note(endOf: process) }
    }

    private func note(endOf process: Process) {
        let isExit = process.terminationReason == .exit
        self.change { $0.status = isExit ? process.terminationStatus : -process.terminationStatus }
    }

    private func read(_ handle: FileHandle) {
        var rest = Data()
        while true {
            let data = handle.availableData
            if data.isEmpty { break }
            rest += data
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: rest[rest.startIndex..<end], as: UTF8.self)
                rest = Data(rest[rest.index(after: end)...])
                self.change { $0.lines.append(line) }
            }
        }
        self.change { $0.isClosed = true }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiters = self.state.withLock { state in
            body(&state)
            state.version += 1
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until `look` finds what it looks for. The limit only turns a hang into a failure.
    private func wait<Found>(
        for what: String, limit: Duration, _ look: (inout State) -> Found?
    ) async throws -> Found {
        let deadline = ContinuousClock.now + limit
        let alarm = Task {
            try await Task.sleep(until: deadline)
            self.change { _ in }
        }
        defer { alarm.cancel() }
        while true {
            let (found, version) = self.state.withLock { (look(&$0), $0.version) }
            if let found { return found }
            if ContinuousClock.now >= deadline { throw ChildFailure(self, "did not show \(what)") }
            await withUnsafeContinuation { continuation in
                let hasChanged = self.state.withLock { state in
                    if state.version != version { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if hasChanged { continuation.resume() }
            }
        }
    }

    /// The next line that contains a text; those before it are passed over.
    @discardableResult
    func line(_ text: String, limit: Duration = .seconds(60)) async throws -> String {
        let line = try await self.wait(for: "\"\(text)\"", limit: limit) { state -> String? in
            if let index = state.lines[state.seen...].firstIndex(where: { text.isEmpty || $0.contains(text) }) {
                state.seen = index + 1
                return state.lines[index]
            }
            return state.isClosed ? "" : nil
        }
        guard !line.isEmpty else { throw ChildFailure(self, "ended without showing \"\(text)\"") }
        return line
    }

    /// Everything that it has written.
    var output: String { self.state.withLock { $0.lines.joined(separator: "\n") } }

    var isRunning: Bool { self.state.withLock { $0.status == nil } }

    func send(_ line: String) throws { try self.input.write(contentsOf: Data((line + "\n").utf8)) }

    /// Sends a line and returns the next one that comes back.
    func ask(_ line: String, limit: Duration = .seconds(60)) async throws -> String {
        try self.send(line)
        return try await self.line("", limit: limit)
    }

    func signal(_ number: Int32) { if self.isRunning { kill(self.processID, number) } }

    /// Waits until it has ended: its exit status, or the negative number of the signal that ended it.
    @discardableResult
    func status(limit: Duration = .seconds(60)) async throws -> Int32 {
        try await self.wait(for: "its end", limit: limit) { $0.isClosed ? $0.status : nil }
    }

    func closeInput() { try? self.input.close() }

    /// Ends it, whatever it does.
    func end() {
        self.signal(SIGKILL)
        self.closeInput()
        self.guardian.dismiss()
    }
}

/// Kills a child when the tests themselves are killed: it waits for the end of a pipe that only they hold open.
private final class Guardian: Sendable {
    private let pipe = Pipe()
    private let process: Process

    init(of child: Int32) throws {
        self.process = Process()
        self.process.executableURL = URL(fileURLWithPath: "/bin/sh")
        self.process.arguments = ["-c", "read -r order; [ \"$order\" = dismissed ] || kill -9 \(child)"]
        self.process.standardInput = self.pipe
        try self.process.run()
    }

    func dismiss() {
        try? self.pipe.fileHandleForWriting.write(contentsOf: Data("dismissed\n".utf8))
        try? self.pipe.fileHandleForWriting.close()
    }
}

struct ChildFailure: Error, CustomStringConvertible {
    var description: String

    init(_ child: Child, _ reason: String) {
        self.description = "\(child.name) \(reason). It wrote:\n\(child.output)"
    }
}

/// The executables that were built with the tests.
enum Binaries {
    static func url(_ name: String) -> URL {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name)
    }
}

/// The processes that a process has started and not yet reaped.
func children(of parent: Int32) -> [Int32] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.compactMap { Int32($0) }.filter { processID in
        guard let text = readSmallFile("/proc/\(processID)/stat"), let end = text.lastIndex(of: ")") else {
            return false
        }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 1 && fields[0] != "Z" && Int32(fields[1]) == parent
    }
}

/// Waits until a process that is no child has ended.
func ended(_ processID: Int32, limit: Duration = .seconds(60)) async throws {
    let watcher = ProcessWatcher()
    defer { watcher.stop() }
    let (ends, continuation) = AsyncStream.makeStream(of: Bool.self)
    guard try watcher.watch(processID: processID, startTime: 0, { continuation.yield(true) }) else { return }
    let alarm = Task {
        try await Task.sleep(for: limit)
        continuation.yield(false)
    }
    defer { alarm.cancel() }
    for await hasEnded in ends {
        if hasEnded { return }
        throw ProcessIsLeft(processID: processID)
    }
}

struct ProcessIsLeft: Error {
    var processID: Int32
}
