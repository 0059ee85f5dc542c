import CMeshPlatform
import Glibc
package import MeshCore
package import MeshRuntime
import Synchronization

/// A worker process from its start until it is known how it ended.
package final class LaunchedWorker: Sendable {
    /// Its number.
    package let processID: Int32
    /// What it writes.
    package let output: WorkerOutput

    private struct State {
        /// How it ended, in the system's form; nil before it was waited for.
        var status: Int32?
        var kill: NodeKill?
    }

    private let state = Mutex(State())
    private let memoryKills: MemoryKillCounter
    private let killsBefore: UInt64?

    init(processID: Int32, output: WorkerOutput, memoryKills: MemoryKillCounter, killsBefore: UInt64?) {
        self.processID = processID
        self.output = output
        self.memoryKills = memoryKills
        self.killsBefore = killsBefore
    }

    /// Ends it at once. Does nothing when it was waited for: its number may be another's by then.
    package func kill(_ reason: NodeKill) {
        self.state.withLock { state in
            guard state.status == nil else { return }
            if state.kill == nil { state.kill = reason }
            Glibc.kill(self.processID, SIGKILL)
        }
    }

    /// Waits until it has ended, and removes it from the system's table. May be called again.
    @discardableResult
    package func reap() -> Int32 {
        self.state.withLock { state in
            if let status = state.status { return status }
            var status: Int32 = 0
            while waitpid(self.processID, &status, 0) < 0 && errno == EINTR {}
            state.status = status
            return status
        }
    }

    /// How it ended. Call it when it has.
    ///
    /// What it wrote has been forwarded when this returns, unless nobody takes it from this process: that holds the
    /// answer up for ``forwardingTime`` at most, and is forwarded later.
    package func end(on mesh: Mesh) async -> ProcessEnd {
        self.reap()
        await waitForCallback(atMost: Self.forwardingTime, on: mesh) { self.output.drain(whenForwarded: $0) }
        return self.describeEnd()
    }

    /// How it ended, by what is known now; what is left in its pipes is not. Waits until it has ended.
    package func describeEnd() -> ProcessEnd {
        let status = self.reap()
        let kill = self.state.withLock { $0.kill }
        return self.memoryKills.withCount { kills in
            ProcessEnd(
                processID: self.processID, waitStatus: status, kill: kill, lastOutput: self.output.lastLines(),
                memoryKills: &kills, killsBefore: self.killsBefore)
        }
    }

    /// So long the end of a process may be held up by an output that nobody takes, in nanoseconds.
    static let forwardingTime: UInt64 = 30_000_000

    /// Sets the most memory that it may have beyond what it has now; see ``MemoryLimit``.
    package func limitMemory(to memory: ByteCount) throws(MeshError) {
        guard let used = readSmallFile("/proc/\(self.processID)/status").flatMap(MemoryLimit.dataSize(status:)) else {
            throw MeshError(.systemFailure, "Nothing is known of the memory of process \(self.processID).")
        }
        let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let limit = MemoryLimit.bytes(used: used, asked: memory, processors: processors)
        guard cmesh_limit_data(self.processID, limit) == 0 else {
            throw MeshError(
                .systemFailure, "The memory of process \(self.processID) cannot be limited.", cause: describeErrno())
        }
    }
}
