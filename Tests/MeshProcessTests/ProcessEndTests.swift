import ActorMesh
import CMeshPlatform
import FoundationEssentials
import Glibc
import MeshCluster
import MeshCore
import MeshFixtures
import MeshRuntime
import Testing

extension Processes {
    /// What a launcher knows of a process that has ended.
    @Suite struct ProcessEnds {
        @Test("a process that a signal ended, with its last lines")
        func signal() async throws {
            let run = try Run("echo one; echo two >&2; printf three; kill -SEGV $$")
            let end = await run.end()
            #expect(end.signal == SIGSEGV && end.status == nil && !end.isOutOfMemory && !end.isUnresponsive)
            #expect(end.processID == run.worker.processID)
            #expect(end.lastOutput.sorted() == ["one", "three", "two"])
            #expect(end.words.hasPrefix("was ended by signal 11 (Segmentation fault); its last line of output: "))
            await run.close()
            #expect(await run.output.lines() == ["one", "three"])
            #expect(await run.errors.lines() == ["two"])
        }

        @Test("a process that exited")
        func exit() async throws {
            let run = try Run("exit 3")
            let end = await run.end()
            #expect(end.signal == nil && end.status == 3 && end.lastOutput == [])
            #expect(end.words == "exited with status 3")
            await run.close()
            #expect(await run.output.lines() == [])
        }

        @Test("more than a pipe holds arrives whole, although the end is asked for as soon as the process has ended")
        func much() async throws {
            let run = try Run("seq 1 50000")
            async let lines = run.output.lines()
            let end = await run.end()
            #expect(end.lastOutput == (49_981...50_000).map(String.init))
            await run.close()
            #expect(await lines == (1...50_000).map(String.init))
        }

        @Test("a process that a worker has started and that keeps its output does not hold up the end")
        func grandchild() async throws {
            let run = try Run("(read wait <&3; echo late) & exit 4")
            let end = await run.end()
            #expect(end.status == 4)
            // What it writes later still comes.
            run.goOn()
            #expect(await run.output.line() == "late")
        }

        @Test(
            "SIGKILL by the node is no want of memory, SIGKILL while the kernel counted one is",
            arguments: [false, true])
        func killed(byNode: Bool) async throws {
            let file = "\(FileManager.default.temporaryDirectory.path)/memory.events.\(getpid()).\(byNode)"
            defer { unlink(file) }
            try Data("low 0\noom 0\noom_kill 4\n".utf8).write(to: URL(fileURLWithPath: file))
            let run = try Run("echo ready; read wait <&3", memoryEvents: [file])
            #expect(await run.output.line() == "ready")
            try Data("low 0\noom 1\noom_kill 5\n".utf8).write(to: URL(fileURLWithPath: file))
            if byNode { run.worker.kill(.unresponsive) } else { kill(run.worker.processID, SIGKILL) }
            let end = await run.end()
            #expect(end.signal == SIGKILL)
            #expect(end.isOutOfMemory == !byNode)
            #expect(end.isUnresponsive == byNode)
        }

        @Test("a Swift program that is refused memory says so, and that is understood")
        func refused() async throws {
            let run = try Run(command: [fixturesExecutable, "starve"])
            #expect(await run.output.line() == "ready")
            try run.worker.limitMemory(to: .mebibytes(8))
            run.goOn()
            let end = await run.end()
            #expect(end.signal == SIGABRT)
            #expect(end.isOutOfMemory, "\(end.lastOutput)")
        }
    }
}

/// One process under a launcher whose workers' output comes to the test. Its third descriptor can be read to the end
/// when it may go on.
private final class Run: Sendable {
    let output: LineReader
    let errors: LineReader
    let worker: LaunchedWorker
    private let launcher: WorkerLauncher

    /// Runs a shell with a script.
    convenience init(_ script: String, memoryEvents: [String]? = nil) throws {
        try self.init(command: ["/bin/sh", "-c", script], memoryEvents: memoryEvents)
    }

    init(command: [String], memoryEvents: [String]? = nil) throws {
        (self.output, self.errors) = (try LineReader(), try LineReader())
        self.launcher = try WorkerLauncher(
            command: WorkerLauncher.Command(executable: command[0], arguments: command),
            output: [self.output.writing, self.errors.writing], memoryEvents: memoryEvents)
        self.worker = try self.launcher.launch(environment: [:])
    }

    func goOn() { self.launcher.close() }

    /// Waits until the process has ended and what it wrote is forwarded.
    @concurrent func end() async -> ProcessEnd {
        self.worker.reap()
        await withUnsafeContinuation { continuation in
            self.worker.output.drain { continuation.resume() }
        }
        return self.worker.describeEnd()
    }

    /// Ends the launcher; no more output comes then.
    func close() async {
        self.launcher.close()
        await withUnsafeContinuation { continuation in
            self.launcher.closeOutput { continuation.resume() }
        }
        self.output.closeWriting()
        self.errors.closeWriting()
    }

    deinit { self.worker.kill(.notNeeded) }
}
