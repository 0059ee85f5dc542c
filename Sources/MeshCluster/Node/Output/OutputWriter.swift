import CMeshPlatform
import Glibc
import MeshCore
import MeshRuntime
import Synchronization

/// The thread that writes what workers say to this process's own output.
///
/// It alone waits when nobody takes that. Output that nobody can have, because its reader has gone or a disk is full, is
/// dropped.
final class OutputWriter: Sendable {
    private struct State {
        var epoll: Int32 = -1
        /// Always readable: arming it wakes the thread.
        var wake: Int32 = -1
        /// Those of which something is to be written, each once.
        var queue: [WorkerOutput] = []
        var isClosed = false
        var waiters: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    /// By a stream's number.
    private let destinations: [Int32]

    init(destinations: [Int32]) { self.destinations = destinations }

    /// Starts the thread. Returns false when there is none to be had; errno says why.
    func start() -> Bool {
        self.state.withLock { state in
            guard state.epoll < 0 else { return true }
            let epoll = cmesh_epoll_create()
            let wake = cmesh_readable_descriptor()
            guard epoll >= 0, wake >= 0, cmesh_epoll_add(epoll, wake, 0) == 0,
                startThread(named: "mesh-show", { self.run(epoll) })
            else {
                let reason = errno
                for descriptor in [epoll, wake] where descriptor >= 0 { Glibc.close(descriptor) }
                errno = reason
                return false
            }
            (state.epoll, state.wake) = (epoll, wake)
            return true
        }
    }

    /// Writes what an output has, soon.
    func write(_ output: WorkerOutput) {
        self.state.withLock { state in
            if !state.queue.contains(where: { $0 === output }) { state.queue.append(output) }
            _ = cmesh_epoll_rearm(state.epoll, state.wake, 0)
        }
    }

    /// Ends when all is written, and calls back then, perhaps at once. Nothing may be given to it afterwards. May be
    /// called again.
    func close(whenWritten: @escaping @Sendable () -> Void) {
        let isOver = self.state.withLock { state in
            state.isClosed = true
            guard state.epoll >= 0 else { return true }
            state.waiters.append(whenWritten)
            _ = cmesh_epoll_rearm(state.epoll, state.wake, 0)
            return false
        }
        if isOver { whenWritten() }
    }

    private func run(_ epoll: Int32) {
        cmesh_block_pipe_signal()
        var tokens: [UInt64] = [0]
        while true {
            while let output = self.next() {
                for stream in [WorkerOutput.Stream.standardOutput, .standardError] { self.write(output, stream) }
            }
            if self.isOver() { return }
            _ = cmesh_epoll_wait(epoll, &tokens, 1, -1)
        }
    }

    private func next() -> WorkerOutput? {
        self.state.withLock { $0.queue.isEmpty ? nil : $0.queue.removeFirst() }
    }

    private func isOver() -> Bool {
        let waiters = self.state.withLock { state -> [@Sendable () -> Void]? in
            guard state.isClosed, state.queue.isEmpty else { return nil }
            Glibc.close(state.epoll)
            Glibc.close(state.wake)
            (state.epoll, state.wake) = (-1, -1)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters ?? [] { waiter() }
        return waiters != nil
    }

    private func write(_ output: WorkerOutput, _ stream: WorkerOutput.Stream) {
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
