import CMeshPlatform
import Glibc
import MeshCore
import MeshRuntime
import Synchronization

/// The thread that reads what all workers of a node write, and writes it to this process's own output.
///
/// It waits when nobody takes that: the workers' pipes fill up then, and a worker that writes more waits too. Nothing
/// else does. Output that nobody can have, because its reader has gone or a disk is full, is dropped.
final class OutputForwarder: Sendable {
    private struct State {
        var epoll: Int32 = -1
        /// Always readable: arming it wakes the thread.
        var wake: Int32 = -1
        var sources: [UInt64: (output: WorkerOutput, stream: WorkerOutput.Stream)] = [:]
        var nextToken: UInt64 = 1
        /// Those of which something is to be written that the thread has not read itself.
        var unwritten: [WorkerOutput] = []
        var isClosed = false
        var waiters: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    private static let wakeToken: UInt64 = 0
    /// Where it writes: by a stream's number.
    private let destinations: [Int32]

    init(destinations: [Int32]) { self.destinations = destinations }

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

    /// Forgets a pipe. Give the output when some of it is still to be written: the thread does not end before.
    func remove(_ descriptor: Int32, _ token: UInt64, unwritten: WorkerOutput?) {
        self.state.withLock { state in
            state.sources[token] = nil
            _ = cmesh_epoll_remove(state.epoll, descriptor)
            guard let unwritten else { return }
            state.unwritten.append(unwritten)
            _ = cmesh_epoll_rearm(state.epoll, state.wake, Self.wakeToken)
        }
    }

    /// Writes what an output has, soon.
    func flush(_ output: WorkerOutput) {
        self.state.withLock { state in
            state.unwritten.append(output)
            _ = cmesh_epoll_rearm(state.epoll, state.wake, Self.wakeToken)
        }
    }

    // MARK: The end

    /// Reads what is left in all pipes, and closes them. Calls `whenForwarded` when all of it was written, perhaps
    /// before this returns. May be called again.
    func close(whenForwarded: @escaping @Sendable () -> Void) {
        let outputs = self.state.withLock { state in
            state.isClosed = true
            return state.sources.values.map(\.output)
        }
        for output in outputs { output.drain(closing: true) {} }
        let isOver = self.state.withLock { state in
            guard state.epoll >= 0 else { return true }
            state.waiters.append(whenForwarded)
            _ = cmesh_epoll_rearm(state.epoll, state.wake, Self.wakeToken)
            return false
        }
        if isOver { whenForwarded() }
    }

    // MARK: The thread

    private func begin(_ state: inout State) throws(MeshError) {
        let epoll = cmesh_epoll_create()
        let wake = cmesh_readable_descriptor()
        guard epoll >= 0, wake >= 0, cmesh_epoll_add(epoll, wake, Self.wakeToken) == 0,
            startThread(named: "mesh-output", { self.run(epoll) })
        else {
            let cause = describeErrno()
            for descriptor in [epoll, wake] where descriptor >= 0 { Glibc.close(descriptor) }
            throw MeshError(.systemFailure, "The output of workers cannot be read.", cause: cause)
        }
        (state.epoll, state.wake) = (epoll, wake)
    }

    private func run(_ epoll: Int32) {
        cmesh_block_pipe_signal()
        var tokens = [UInt64](repeating: 0, count: 16)
        var buffer = [UInt8](repeating: 0, count: WorkerOutput.chunk)
        while !self.isOver() {
            let count = Int(cmesh_epoll_wait(epoll, &tokens, Int32(tokens.count)))
            for token in tokens.prefix(max(0, count)) {
                guard let source = self.state.withLock({ $0.sources[token] }) else { continue }
                source.output.receive(source.stream, &buffer)
                // Its log records are shown on standard error.
                self.forward(source.output, .standardError)
                if source.stream == .standardOutput { self.forward(source.output, source.stream) }
            }
            let unwritten = self.state.withLock { state in
                defer { state.unwritten = [] }
                return state.unwritten
            }
            for output in unwritten {
                for stream in [WorkerOutput.Stream.standardOutput, .standardError] { self.forward(output, stream) }
            }
        }
    }

    /// Whether all is read and written. Closes what the thread had then, and tells those who wait for it.
    private func isOver() -> Bool {
        let waiters = self.state.withLock { state -> [@Sendable () -> Void]? in
            guard state.isClosed, state.sources.isEmpty, state.unwritten.isEmpty else { return nil }
            Glibc.close(state.epoll)
            Glibc.close(state.wake)
            (state.epoll, state.wake) = (-1, -1)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters ?? [] { waiter() }
        return waiters != nil
    }

    private func forward(_ output: WorkerOutput, _ stream: WorkerOutput.Stream) {
        while let bytes = output.take(stream) {
            Self.write(bytes[...], to: self.destinations[stream.rawValue])
            output.wrote(stream)
        }
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Somebody has made it non-blocking, perhaps another process that has the same terminal.
                var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&request, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }
}
