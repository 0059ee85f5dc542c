import CMeshPlatform
import Glibc
import MeshCore
import MeshRuntime
import Synchronization

/// The thread that reads what all workers of a node write and log; an ``OutputWriter`` shows it.
///
/// It waits for nobody but those that write. After log records of a worker have come it looks for more after a moment
/// without having been told: a bell for each would cost the worker more than the record.
final class OutputForwarder: Sendable {
    private struct State {
        var epoll: Int32 = -1
        /// Always readable: arming it wakes the thread.
        var wake: Int32 = -1
        var sources: [UInt64: (output: WorkerOutput, stream: WorkerOutput.Stream)] = [:]
        var nextToken: UInt64 = 1
        var isClosed = false
    }

    private let state = Mutex(State())
    private static let wakeToken: UInt64 = 0
    private let writer: OutputWriter
    /// After so many milliseconds it looks for more log records.
    private static let pause: Int32 = 1

    /// - Parameter destinations: where to write: by a stream's number.
    init(destinations: [Int32]) { self.writer = OutputWriter(destinations: destinations) }

    // MARK: For the outputs

    /// Adds a pipe and listens to it. The first one starts the thread. Returns the number to name it by.
    func add(_ output: WorkerOutput, _ stream: WorkerOutput.Stream, _ descriptor: Int32) throws(MeshError) -> UInt64 {
        try self.state.withLock { state throws(MeshError) in
            guard !state.isClosed else { throw MeshError(.shutDown, "The node is shutting down.") }
            if state.epoll < 0 { try self.begin(&state) }
            let token = state.nextToken
            state.nextToken += 1
            guard cmesh_epoll_add(state.epoll, descriptor, token) == 0 else {
                throw MeshError(.systemFailure, "The output of a worker cannot be read.", cause: describeErrno())
            }
            state.sources[token] = (output, stream)
            return token
        }
    }

    /// Has the output told once when there is something in the pipe.
    func rearm(_ descriptor: Int32, _ token: UInt64) {
        _ = cmesh_epoll_rearm(self.state.withLock { $0.epoll }, descriptor, token)
    }

    /// Forgets a pipe. Give the output when some of it is still to be written.
    func remove(_ descriptor: Int32, _ token: UInt64, unwritten: WorkerOutput?) {
        self.state.withLock { state in
            state.sources[token] = nil
            _ = cmesh_epoll_remove(state.epoll, descriptor)
            if state.isClosed { _ = cmesh_epoll_rearm(state.epoll, state.wake, Self.wakeToken) }
        }
        if let unwritten { self.writer.write(unwritten) }
    }

    /// Writes what an output has, soon.
    func flush(_ output: WorkerOutput) { self.writer.write(output) }

    // MARK: The end

    /// Reads what is left in all pipes, and closes them. Calls `whenForwarded` when all of it was written, perhaps
    /// before this returns. May be called again.
    func close(whenForwarded: @escaping @Sendable () -> Void) {
        let outputs = self.state.withLock { state in
            state.isClosed = true
            return state.sources.values.map(\.output)
        }
        for output in outputs { output.drain(closing: true) {} }
        self.state.withLock { state in
            if state.epoll >= 0 { _ = cmesh_epoll_rearm(state.epoll, state.wake, Self.wakeToken) }
        }
        self.writer.close(whenWritten: whenForwarded)
    }

    // MARK: The thread

    private func begin(_ state: inout State) throws(MeshError) {
        let epoll = cmesh_epoll_create()
        let wake = cmesh_readable_descriptor()
        guard epoll >= 0, wake >= 0, cmesh_epoll_add(epoll, wake, Self.wakeToken) == 0, self.writer.start(),
            startThread(named: "mesh-output", { self.run(epoll) })
        else {
            let cause = describeErrno()
            for descriptor in [epoll, wake] where descriptor >= 0 { Glibc.close(descriptor) }
            throw MeshError(.systemFailure, "The output of workers cannot be read.", cause: cause)
        }
        (state.epoll, state.wake) = (epoll, wake)
    }

    private func run(_ epoll: Int32) {
        var tokens = [UInt64](repeating: 0, count: 16)
        var buffer = [UInt8](repeating: 0, count: WorkerOutput.chunk)
        // Those that log.
        var busy: [ObjectIdentifier: WorkerOutput] = [:]
        while !self.isOver() {
            let count = Int(cmesh_epoll_wait(epoll, &tokens, Int32(tokens.count), busy.isEmpty ? -1 : Self.pause))
            for output in busy.values {
                if !output.receiveMore() { busy[ObjectIdentifier(output)] = nil }
                if output.hasPending { self.writer.write(output) }
            }
            for token in tokens.prefix(max(0, count)) {
                guard let source = self.state.withLock({ $0.sources[token] }) else { continue }
                if source.output.receive(source.stream, &buffer) {
                    busy[ObjectIdentifier(source.output)] = source.output
                }
                if source.output.hasPending { self.writer.write(source.output) }
            }
        }
    }

    /// Whether all is read. Closes what the thread had then.
    private func isOver() -> Bool {
        self.state.withLock { state in
            guard state.isClosed, state.sources.isEmpty else { return false }
            Glibc.close(state.epoll)
            Glibc.close(state.wake)
            (state.epoll, state.wake) = (-1, -1)
            return true
        }
    }
}
