import CMeshPlatform
import Glibc
import MeshCore
import MeshRuntime
import Synchronization

/// What one worker process writes to its standard output and its standard error, and logs: on its way to the collector
/// and to this process's own output, and its last lines.
///
/// The forwarder's thread reads, and another writes. Whoever learns that the process has ended reads what is left,
/// never waits for the writing, and may have itself told of it.
///
/// When nobody takes what is written, only so much waits to be shown: lines that are shown as they are wait in the
/// process that prints them, and so does it; those with a prefix and log records are collected all the same, and only
/// counted here.
package final class WorkerOutput: Sendable {
    /// Where a process writes.
    package enum Stream: Int, CaseIterable, Sendable {
        case standardOutput
        case standardError
        /// The doorbell of the ring with its log records.
        case records

        /// Its number in every worker.
        package var descriptor: Int32 {
            switch self {
            case .standardOutput: STDOUT_FILENO
            case .standardError: STDERR_FILENO
            case .records: WorkerLauncher.doorbellDescriptor
            }
        }

        /// Where it is shown.
        var shown: Stream { self == .records ? .standardError : self }
    }

    private struct Pipe {
        /// The end that is read; -1 when it is closed.
        var reading: Int32
        /// By which the forwarder knows it.
        var token: UInt64 = 0
        var lines = LineAssembler()
        /// Read and not yet written.
        var pending: [UInt8] = []
        var isWriting = false
        /// So many lines found no room there.
        var dropped = 0
        /// Whether it is not listened to until there is room.
        var isPaused = false
    }

    private struct State {
        var pipes: [Pipe]
        var tail = OutputTail()
        var waiters: [@Sendable () -> Void] = []

        var isForwarded: Bool { self.pipes.allSatisfy { $0.pending.isEmpty && $0.dropped == 0 && !$0.isWriting } }
    }

    private let forwarder: OutputForwarder
    /// What takes it for the collector.
    package let log: WorkerLog
    private let state: Mutex<State>

    /// No more than this is read at once.
    static let chunk = 64 << 10
    /// When so much waits to be written, no more does.
    static let mostPending = 1 << 20
    /// The most that a pipe can hold unless the system's administrator says otherwise: no more can be left of a process
    /// that has ended, and what comes after it is from a process that this one has started.
    private static let largestPipe = 1 << 20

    /// Takes the reading ends of the pipes, which are this object's from now on. Nothing is read before `listen`.
    init(reading: [Int32], forwarder: OutputForwarder, log: WorkerLog) {
        self.forwarder = forwarder
        self.log = log
        self.state = Mutex(State(pipes: reading.map { Pipe(reading: $0) }))
    }

    /// Begins to forward. After an error the pipes are closed.
    func listen() throws(MeshError) {
        do {
            try self.state.withLock { state throws(MeshError) in
                for stream in Stream.allCases {
                    let reading = state.pipes[stream.rawValue].reading
                    state.pipes[stream.rawValue].token = try self.forwarder.add(self, stream, reading)
                }
            }
        } catch {
            self.drain(closing: true) {}
            throw error
        }
    }

    /// The last lines, the oldest first.
    package func lastLines() -> [String] { self.state.withLock { $0.tail.lines } }

    /// Takes what the process has left in its pipes. Does not wait: `whenForwarded` is called when all of it was
    /// written to this process's own output, perhaps before this returns.
    ///
    /// - Parameter closing: whether nothing more is wanted, also not from processes that this one has started and that
    ///   still have its output.
    package func drain(closing: Bool = false, whenForwarded: @escaping @Sendable () -> Void) {
        let isForwarded = self.state.withLock { state in
            for stream in Stream.allCases {
                var buffer = [UInt8](repeating: 0, count: Self.chunk)
                var left = Self.largestPipe
                while left > 0 {
                    let count = self.read(stream, &buffer, &state)
                    guard count > 0 else { break }
                    left -= count
                }
                if closing { self.close(stream, &state) }
                self.finish(stream, &state)
            }
            while self.takeRecords(&state) {}
            if !state.isForwarded { state.waiters.append(whenForwarded) }
            return state.isForwarded
        }
        if isForwarded { whenForwarded() } else { self.forwarder.flush(self) }
    }

    // MARK: For the forwarder's thread

    /// Reads once what has come, and has itself told of what comes next. Returns whether to look for more log records
    /// in a moment, with ``receiveMore()``: nobody tells of them until then.
    func receive(_ stream: Stream, _ buffer: inout [UInt8]) -> Bool {
        self.state.withLock { state in
            let isFull = state.pipes[stream.rawValue].pending.count >= Self.mostPending
            if isFull, stream != .records, self.log.waitsToBeShown {
                state.pipes[stream.rawValue].isPaused = true
                return false
            }
            guard self.read(stream, &buffer, &state) != 0 else { return false }
            self.forwarder.rearm(state.pipes[stream.rawValue].reading, state.pipes[stream.rawValue].token)
            return stream == .records
        }
    }

    /// Takes what has come by now, as far as there is room to show it. Any thread may call it.
    func receiveAll() {
        self.state.withLock { state in
            var buffer = [UInt8](repeating: 0, count: Self.chunk)
            // The bell stays as it is: the forwarder has it ring again when it has heard it.
            for stream in [Stream.standardOutput, .standardError] {
                var left = Self.largestPipe
                while left > 0, state.pipes[stream.rawValue].pending.count < Self.mostPending {
                    let count = self.read(stream, &buffer, &state)
                    guard count > 0 else { break }
                    left -= count
                }
            }
            self.takeRecords(&state)
            self.forwarder.flush(self)
        }
    }

    /// Takes the log records that came since. Returns whether to do so again; if not, the bell rings for the next.
    func receiveMore() -> Bool { self.state.withLock { self.takeRecords(&$0) || !self.log.sleep() } }

    /// Whether anything is to be written.
    var hasPending: Bool { self.state.withLock { !$0.pipes.allSatisfy { $0.pending.isEmpty && $0.dropped == 0 } } }

    // MARK: For the writer's thread

    /// What has to be written now; nil for nothing. Call `wrote` when that is done.
    func take(_ stream: Stream) -> [UInt8]? {
        self.state.withLock { state in
            var bytes = state.pipes[stream.rawValue].pending
            let dropped = state.pipes[stream.rawValue].dropped
            if dropped > 0 {
                bytes += Array("\(dropped) lines are not shown: nobody read this output; `mesh logs` has them\n".utf8)
            }
            guard !bytes.isEmpty else { return nil }
            state.pipes[stream.rawValue].pending = []
            state.pipes[stream.rawValue].dropped = 0
            state.pipes[stream.rawValue].isWriting = true
            return bytes
        }
    }

    /// What was taken is written, or nobody can have it.
    func wrote(_ stream: Stream) {
        let waiters = self.state.withLock { state -> [@Sendable () -> Void] in
            state.pipes[stream.rawValue].isWriting = false
            let pipe = state.pipes[stream.rawValue]
            if pipe.isPaused, pipe.reading >= 0 { self.forwarder.rearm(pipe.reading, pipe.token) }
            state.pipes[stream.rawValue].isPaused = false
            guard state.isForwarded else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter() }
    }

    // MARK: Reading

    /// Reads once. Returns how much; 0 when the pipe is closed now, negative when there is nothing now.
    private func read(_ stream: Stream, _ buffer: inout [UInt8], _ state: inout State) -> Int {
        // The bell is silenced before the records are taken: one that comes later rings it again.
        if stream == .records {
            defer { self.takeRecords(&state) }
            return self.readOnce(stream, &buffer, &state)
        }
        // The lines may be of a task that the records tell of.
        self.takeRecords(&state)
        return self.readOnce(stream, &buffer, &state)
    }

    /// Takes the log records that have come, not endlessly. Returns whether there were any.
    @discardableResult
    private func takeRecords(_ state: inout State) -> Bool {
        var hasRead = false
        for _ in 0..<Self.mostTasks {
            let read = self.log.readRing()
            hasRead = hasRead || read.hasRead
            self.show(read.shown, .records, &state)
            guard let task = read.task else { break }
            // The worker has waited until what was printed before it was read: what is in the pipes now is the task's.
            self.log.begins(task)
        }
        return hasRead
    }

    /// So many tasks that begin are taken before it is another's turn.
    private static let mostTasks = 64

    private func readOnce(_ stream: Stream, _ buffer: inout [UInt8], _ state: inout State) -> Int {
        let reading = state.pipes[stream.rawValue].reading
        guard reading >= 0 else { return 0 }
        var count: Int
        repeat { count = Glibc.read(reading, &buffer, buffer.count) } while count < 0 && errno == EINTR
        if count < 0, errno == EAGAIN { return -1 }
        guard count > 0 else {
            self.close(stream, &state)
            return 0
        }
        // Only rings the bell.
        if stream == .records { return count }
        state.tail.append(buffer[..<count], from: stream)
        let lines = state.pipes[stream.rawValue].lines.append(buffer[..<count])
        self.show(self.log.lines(lines, stream), stream, &state)
        return count
    }

    /// Takes a line without an end, when no more comes.
    private func finish(_ stream: Stream, _ state: inout State) {
        if stream == .records { return }
        let rest = state.pipes[stream.rawValue].lines.finish()
        self.show(self.log.lines(rest, stream), stream, &state)
    }

    private func show(_ bytes: [UInt8], _ stream: Stream, _ state: inout State) {
        guard !bytes.isEmpty else { return }
        let mayWait = stream != .records && self.log.waitsToBeShown
        if mayWait || state.pipes[stream.shown.rawValue].pending.count < Self.mostPending {
            state.pipes[stream.shown.rawValue].pending += bytes
        } else {
            state.pipes[stream.shown.rawValue].dropped += bytes.count { $0 == UInt8(ascii: "\n") }
        }
    }

    private func close(_ stream: Stream, _ state: inout State) {
        let pipe = state.pipes[stream.rawValue]
        guard pipe.reading >= 0 else { return }
        self.finish(stream, &state)
        state.pipes[stream.rawValue].reading = -1
        // Before it is closed: a child that is just being started has a copy, with which the entry would stay.
        self.forwarder.remove(pipe.reading, pipe.token, unwritten: state.isForwarded ? nil : self)
        Glibc.close(pipe.reading)
    }
}
