import FoundationEssentials
import Glibc
import Logging
package import MeshCore
package import MeshRuntime
import Synchronization

/// What the workers of a node say: written down in the node's spool, and shown as its own output.
package final class NodeLogs: Sendable {
    private struct State {
        var spool: LogSpool
        /// What could not be written down, by its source.
        var lost: [UniqueID: (batch: LogBatch, count: UInt64)] = [:]
        var waiters: [@Sendable () -> Void] = []
        /// Those who wait until the collector has everything up to a number.
        var collectedWaiters: [(last: UInt64, action: @Sendable () -> Void)] = []
        var formatter = LogLineFormatter()
    }

    package let node: String
    /// How lines are shown.
    package let style: WorkerOutputStyle
    /// The folder of the spool; nil for one in memory.
    private let directory: LogDirectory?
    private let state: Mutex<State>

    /// Everything in memory.
    package init(node: String, style: WorkerOutputStyle = .plain, limit: Int = 16 << 20) {
        self.node = node
        self.style = style
        self.directory = nil
        self.state = Mutex(State(spool: LogSpool(limit: limit)))
    }

    /// Goes on with what an earlier node left in a folder.
    ///
    /// - Throws: `systemFailure` when the folder or its files cannot be opened.
    package init(node: String, directory: LogDirectory, style: WorkerOutputStyle = .plain, limit: Int) throws {
        self.node = node
        self.style = style
        self.directory = directory
        var known: [UniqueID: LogSpool.Last] = [:]
        let spool = try LogSpool(directory: directory.path, limit: limit) { source, last in
            let before = known[source]
            known[source] = LogSpool.Last(sequence: last.sequence, ringPlace: last.ringPlace ?? before?.ringPlace)
        }
        self.state = Mutex(State(spool: spool))
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) where name.hasSuffix(".ring") {
            self.recover("\(directory.path)/\(name)", known)
        }
    }

    /// Takes what a worker had written that ended with an earlier node.
    private func recover(_ path: String, _ known: [UniqueID: LogSpool.Last]) {
        defer { unlink(path) }
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { Glibc.close(descriptor) }
        guard let ring = try? LogRing(descriptor: descriptor, isNew: false) else { return }
        let last = known[ring.source]
        // It may have been written down before the ring was told.
        if let place = last?.ringPlace { ring.finishReading(to: place) }
        let worker = WorkerLog(
            logs: self, ring: ring, source: ring.source, processID: ring.processID,
            sequence: max(ring.sequence, last?.sequence ?? 0))
        while true {
            let read = worker.readRing()
            if let task = read.task { worker.begins(task) }
            guard read.hasRead else { return }
        }
    }

    /// What a new worker writes to.
    ///
    /// - Parameter token: a number that no other worker of this node has.
    /// - Throws: `systemFailure` when there is no memory for it.
    package func makeWorker(_ token: UInt64) throws(MeshError) -> (log: WorkerLog, descriptor: Int32) {
        let path = self.directory.map { "\($0.path)/\(getpid())-\(token).ring" }
        let descriptor = path.map { open($0, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600) } ?? cmeshMemoryFile()
        guard descriptor >= 0 else {
            throw MeshError(.systemFailure, "There is no memory for a worker's log records.", cause: describeErrno())
        }
        do {
            let ring = try LogRing(descriptor: descriptor, isNew: true)
            ring.source = .make()
            return (WorkerLog(logs: self, ring: ring, source: ring.source, path: path), descriptor)
        } catch {
            Glibc.close(descriptor)
            if let path { unlink(path) }
            throw error
        }
    }

    // MARK: Writing

    func append(_ batch: LogBatch) {
        guard batch.count > 0 else { return }
        let waiters = self.state.withLock { state in
            do throws(MeshError) {
                if let loss = state.lost[batch.source] {
                    try state.spool.append(LogBatch.gap(of: loss.count, in: loss.batch, number: 0))
                    state.lost[batch.source] = nil
                }
                try state.spool.append(batch)
            } catch {
                let before = state.lost[batch.source]?.count ?? 0
                var end = batch
                end.contents = Data()
                state.lost[batch.source] = (end, before + UInt64(batch.count))
            }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter() }
    }

    /// A record as a line of the node's output.
    func line(_ record: LogRecord) -> String { self.state.withLock { $0.formatter.line(record) } }

    // MARK: Sending

    package var spoolID: UniqueID { self.state.withLock { $0.spool.id } }

    func batches(after number: UInt64, limit: Int) -> (batches: [Data], last: UInt64) {
        self.state.withLock { $0.spool.batches(after: number, limit: limit) }
    }

    /// The number of what was said last.
    var last: UInt64 { self.state.withLock { $0.spool.last } }

    func acknowledge(_ number: UInt64) {
        let waiters = self.state.withLock { state in
            state.spool.acknowledge(number)
            let spool = state.spool
            let end = state.collectedWaiters.partition { spool.isCollected(upTo: $0.last) }
            defer { state.collectedWaiters.removeSubrange(end...) }
            return state.collectedWaiters[end...]
        }
        for waiter in waiters { waiter.action() }
    }

    /// Calls back when the collector has everything that was said by now, perhaps at once.
    package func whenCollected(_ action: @escaping @Sendable () -> Void) {
        self.whenCollected(upTo: self.last, action)
    }

    /// Calls back when the collector has everything up to a number, perhaps at once.
    func whenCollected(upTo last: UInt64, _ action: @escaping @Sendable () -> Void) {
        let isCollected = self.state.withLock { state in
            let isCollected = state.spool.isCollected(upTo: last)
            if !isCollected { state.collectedWaiters.append((last, action)) }
            return isCollected
        }
        if isCollected { action() }
    }

    func retract(to number: UInt64) { self.state.withLock { $0.spool.retract(to: number) } }

    /// Calls back when there is anything to send.
    package func whenFirst(_ action: @escaping @Sendable () -> Void) { self.whenMore(than: 0, action) }

    /// Calls back when there is more than was sent, perhaps at once.
    func whenMore(than number: UInt64, _ action: @escaping @Sendable () -> Void) {
        let isThere = self.state.withLock { state in
            if state.spool.last > number { return true }
            state.waiters.append(action)
            return false
        }
        if isThere { action() }
    }

    /// Removes the files, if everything was collected. Nothing may be written afterwards.
    package func close() {
        guard let directory else { return }
        let isCollected = self.state.withLock { state in
            guard state.spool.isCollected else { return false }
            state.spool.removeAll()
            return true
        }
        if isCollected { directory.remove() }
    }
}
