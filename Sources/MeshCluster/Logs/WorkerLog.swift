import FoundationEssentials
import Glibc
import Logging
import MeshCore
import MeshRuntime
import Synchronization

/// What one worker says, on its way into its node's spool: lines of its output, and the records in its ring.
///
/// Gives each its number. Any thread may use it.
package final class WorkerLog: Sendable {
    private struct State {
        var processID: Int32
        var sequence: UInt64
        let ring: LogRing
        /// Where the ring is, when that is a file.
        var path: String?
        /// Whether the ring has what cannot be read.
        var isDamaged = false
        /// Who writes the lines.
        var actor: LogRecord.Actor?
        var task: String?
        /// For whom.
        var driver: PeerID?
    }

    private let logs: NodeLogs
    private let source: UniqueID
    private let state: Mutex<State>

    init(
        logs: NodeLogs, ring: LogRing, source: UniqueID, processID: Int32 = 0, sequence: UInt64 = 0,
        path: String? = nil
    ) {
        self.logs = logs
        self.source = source
        self.state = Mutex(State(processID: processID, sequence: sequence, ring: ring, path: path))
    }

    /// The process has been started.
    func began(_ processID: Int32) {
        self.state.withLock { state in
            state.processID = processID
            state.ring.processID = processID
        }
    }

    /// From now on lines are this actor's; nil for those of several.
    func attribute(to actor: LogRecord.Actor?, for driver: PeerID?) {
        self.state.withLock { state in
            state.actor = actor
            state.task = nil
            state.driver = driver
        }
    }

    // MARK: Taking

    /// Whether lines are not to be taken while there is no room to show them.
    var waitsToBeShown: Bool { self.logs.style == .plain }

    /// Takes whole lines. Returns what is to be shown of them.
    func lines(_ bytes: [UInt8], _ stream: WorkerOutput.Stream) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        let isError = stream == .standardError
        return self.state.withLock { state in
            var run = LogRun()
            var shown: [UInt8] = []
            let first = state.sequence + 1
            let time = LogOutlet.now()
            for line in Self.split(bytes) {
                let content = LogContent(
                    kind: isError ? .errorOutput : .output, level: isError ? .notice : .info, time: time,
                    text: String(decoding: line, as: UTF8.self), actor: state.actor, task: state.task,
                    driver: state.driver)
                run.add(content)
                if self.logs.style == .prefixed { shown += self.shown(content, state) }
            }
            self.append(run, first, nil, &state)
            return self.logs.style == .plain ? bytes : shown
        }
    }

    /// Lines without their ends; a very long one in pieces.
    private static func split(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.flatMap { line -> [ArraySlice<UInt8>] in
            var rest = line
            if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
            guard rest.count > LogContent.longestText / 3 else { return [rest] }
            // A byte that is no UTF-8 becomes three.
            var pieces: [ArraySlice<UInt8>] = []
            while !rest.isEmpty {
                var end = min(rest.endIndex, rest.startIndex + LogContent.longestText / 3)
                while end < rest.endIndex, end > rest.startIndex + 1, rest[end] & 0xc0 == 0x80 { end -= 1 }
                pieces.append(rest[rest.startIndex..<end])
                rest = rest[end...]
            }
            return pieces
        }
    }

    /// Takes the records that the ring has, once around at most, so that a process that says a lot does not keep others
    /// waiting, and up to where a task begins.
    ///
    /// - Returns: what is to be shown of them, and the task: ``begins(_:)`` is to be called with it, and this again. Whether
    ///   there was anything.
    func readRing() -> (shown: [UInt8], task: TaskBeginning?, hasRead: Bool) {
        self.state.withLock { state in
            var shown: [UInt8] = []
            var task: TaskBeginning?
            let hasRead = self.readOnce(&state, &shown, &task)
            return (shown, task, hasRead)
        }
    }

    /// Has the bell rung for the next record. Returns false when there is one already: it does not ring then.
    func sleep() -> Bool { self.state.withLock { $0.isDamaged || $0.ring.sleep() } }

    /// From now on lines are a task's; of nobody in particular when the name is empty.
    func begins(_ task: TaskBeginning) {
        self.state.withLock { state in
            state.task = task.name.isEmpty ? nil : task.name
            state.driver = task.driver
            state.actor = nil
        }
    }

    private func readOnce(_ state: inout State, _ shown: inout [UInt8], _ task: inout TaskBeginning?) -> Bool {
        guard !state.isDamaged else { return false }
        let place = state.ring.readPlace
        let bytes = state.ring.unread(from: place, limit: state.ring.capacity)
        let frames = LogRingFrames(bytes)
        guard frames.size > 0 else {
            state.isDamaged = frames.isDamaged
            return false
        }
        var run = LogRun()
        let first = state.sequence + 1
        var end = place &+ UInt32(frames.size)
        bytes.withUnsafeBytes { buffer in
            for range in frames.records {
                let frame = UnsafeRawBufferPointer(rebasing: buffer[range])
                guard LogContent.isRecord(frame) else {
                    task = try? TaskBeginning(reading: frame)
                    end = place &+ UInt32(range.upperBound)
                    if task == nil { state.isDamaged = true }
                    return
                }
                var reader = WireReader(frame)
                guard let sketch = try? LogSketch(reading: &reader), reader.isAtEnd else {
                    state.isDamaged = true
                    continue
                }
                run.add(encoded: frame)
                guard sketch.kind == .log, self.logs.style != .none else { continue }
                reader = WireReader(frame)
                if let content = try? LogContent(reading: &reader) { shown += self.shown(content, state) }
            }
        }
        self.append(run, first, end, &state)
        state.ring.finishReading(to: end)
        return true
    }

    private func append(_ run: LogRun, _ first: UInt64, _ place: UInt32?, _ state: inout State) {
        guard run.count > 0 else { return }
        state.sequence += UInt64(run.count)
        self.logs.append(
            LogBatch(
                number: 0, source: self.source, node: self.logs.node, processID: state.processID,
                firstSequence: first, count: run.count, contents: run.contents, ringPlace: place))
        state.ring.sequence = state.sequence
    }

    private func shown(_ content: LogContent, _ state: State) -> [UInt8] {
        let record = content.record(
            node: self.logs.node, processID: state.processID, source: self.source, sequence: 0)
        return Array((self.logs.line(record) + "\n").utf8)
    }

    // MARK: The end

    /// The process has ended, and everything that it left was taken. Says so when it should not have.
    func ended(_ end: ProcessEnd, isExpected: Bool) {
        self.state.withLock { state in
            if let path = state.path { unlink(path) }
            state.path = nil
            guard !isExpected else { return }
            var metadata: [String: String] = [:]
            if let signal = end.signal { metadata["signal"] = "\(signal)" }
            if let status = end.status { metadata["status"] = "\(status)" }
            let said = end.lastOutput.map { "\n\($0)" }.joined()
            var run = LogRun()
            run.add(
                LogContent(
                    kind: .crash, level: .critical, time: LogOutlet.now(),
                    text: "process \(end.processID) \(end.reason)\(said)", metadata: metadata, actor: state.actor,
                    task: state.task, driver: state.driver))
            self.append(run, state.sequence + 1, nil, &state)
        }
    }
}
