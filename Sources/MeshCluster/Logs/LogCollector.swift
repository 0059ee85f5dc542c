import CMeshPlatform
package import Distributed
package import FoundationEssentials
import Glibc
package import MeshCore
package import MeshRuntime

/// What a collector has of a spool, and which collector it is.
package struct LogReceipt: Hashable, Sendable, Codable {
    /// The store that it has; another one has lost everything.
    package var store: UniqueID
    /// The last batch of the spool that it has.
    package var last: UInt64
}

/// A part of the answer to a query.
package struct LogPage: Hashable, Sendable, Codable {
    /// In which store places are good.
    package var store: UniqueID
    /// Batches of what was found.
    package var batches: [Data]
    /// Where to go on.
    package var place: UInt64
    /// Whether there is more in that direction now.
    package var hasMore: Bool
    /// How many records there were before ``place``, whether they were wanted or not.
    package var records: UInt64 = 0
    /// When the place that was asked for is gone: how many records there were before those that are left.
    package var removed: UInt64?
}

/// How much a collector has, and how much never came to it.
package struct LogUsage: Hashable, Sendable, Codable {
    /// How many records it has.
    package var records: UInt64
    /// How many bytes they take.
    package var bytes: UInt64
    /// How many records are missing in what has come since it was started, because they had to make room under a limit
    /// before they could be collected: what gaps say.
    package var dropped: UInt64

    package init(records: UInt64, bytes: UInt64, dropped: UInt64) {
        self.records = records
        self.bytes = bytes
        self.dropped = dropped
    }
}

/// Keeps what the workers of a mesh say, and finds it again. Lives in the broker's process.
package distributed actor LogCollector {
    package typealias ActorSystem = Mesh

    private var store: LogStore
    private let directory: LogDirectory?
    private var waiters: [UInt64: UnsafeContinuation<Void, Never>] = [:]
    private var nextWaiter: UInt64 = 0
    private var isSynchronising = false
    private var isChanged = false

    /// - Parameter directory: where it keeps everything; nil: in memory.
    /// - Throws: `systemFailure` when the files there cannot be opened.
    package init(actorSystem: Mesh, directory: LogDirectory? = nil, limits: LogStore.Limits) throws {
        self.actorSystem = actorSystem
        self.directory = directory
        self.store =
            if let directory { try LogStore(directory: directory.path, limits: limits) } else {
                LogStore(limits: limits)
            }
    }

    // MARK: For nodes and drivers

    /// What is here of a spool.
    package distributed func begin(_ spool: UniqueID) throws -> LogReceipt {
        LogReceipt(store: self.store.id, last: self.store.last(of: spool))
    }

    /// Takes batches of a spool. Those that are here already are not taken again. When this returns they are kept: a
    /// collector with files has them after it was killed, too.
    ///
    /// - Throws: `invalidArgument` when they are none; `systemFailure` when they cannot be written.
    package distributed func take(_ batches: [Data], of spool: UniqueID) throws -> LogReceipt {
        var hasChanged = false
        defer {
            if hasChanged {
                self.isChanged = true
                self.synchroniseSoon()
                self.wakeAll()
            }
        }
        for batch in batches {
            do {
                try self.store.append(batch, from: spool)
                hasChanged = true
            } catch let error as WireError {
                throw MeshError(.invalidArgument, "These are no log records: \(error.description).")
            }
        }
        return LogReceipt(store: self.store.id, last: self.store.last(of: spool))
    }

    // MARK: For readers

    /// Where what comes from now on will be.
    package distributed func end() throws -> LogPage {
        LogPage(
            store: self.store.id, batches: [], place: self.store.next, hasMore: false,
            records: self.store.recordsSoFar)
    }

    /// How much it has, and how much never came.
    package distributed func usage() throws -> LogUsage { self.store.usage }

    /// Records from a place on, the oldest first.
    ///
    /// - Parameters:
    ///   - store: which the place is of; when that is another one it is the beginning.
    ///   - patience: for how many nanoseconds to wait for something when there is nothing.
    package distributed func read(
        _ query: LogQuery, from place: UInt64, of store: UniqueID?, patience: UInt64
    ) async throws -> LogPage {
        let isKnown = store == self.store.id
        let deadline = cmesh_monotonic_nanoseconds() + min(patience, Self.longestPatience)
        var from = isKnown ? place : 0
        let removed = from > 0 && from < self.store.first ? self.store.removed : nil
        while true {
            let found = try self.store.read(query, from: from)
            let isAtEnd = found.place >= self.store.next
            if !found.batches.isEmpty || !isAtEnd || cmesh_monotonic_nanoseconds() >= deadline || Task.isCancelled {
                return LogPage(
                    store: self.store.id, batches: found.batches, place: found.place, hasMore: !isAtEnd,
                    records: found.records, removed: removed)
            }
            from = found.place
            await self.waitForMore(until: deadline)
            if from < self.store.first {
                // The place was removed meanwhile: whoever asks from here is told how much is gone.
                return LogPage(
                    store: self.store.id, batches: [], place: from, hasMore: true, records: found.records)
            }
        }
    }

    /// The newest records before a place, at least so many if there are; each page is in order.
    package distributed func readBack(
        _ query: LogQuery, before place: UInt64, of store: UniqueID, atLeast count: Int
    ) throws -> LogPage {
        guard store == self.store.id else {
            throw MeshError(.brokerUnavailable, "The broker was started anew while its logs were read. Read again.")
        }
        let found = try self.store.readBack(query, before: place, atLeast: count)
        return LogPage(
            store: self.store.id, batches: found.batches, place: found.place, hasMore: found.place > self.store.first)
    }

    /// Nobody waits for longer: a reader that has gone is forgotten then.
    private static let longestPatience: UInt64 = 10_000_000_000

    private func waitForMore(until deadline: UInt64) async {
        let number = self.nextWaiter
        self.nextWaiter += 1
        let mesh = self.actorSystem
        let alarm = mesh.schedule(at: deadline) { mesh.detach { await self.wake(number) } }
        await withUnsafeContinuation { self.waiters[number] = $0 }
        mesh.timers.cancel(alarm)
    }

    private func wake(_ number: UInt64) { self.waiters.removeValue(forKey: number)?.resume() }

    private func wakeAll() {
        let waiters = self.waiters.values
        self.waiters = [:]
        for waiter in waiters { waiter.resume() }
    }

    // MARK: The disk

    /// Has what was written put on the disk within a second, by a thread that may wait for it. Until then it survives
    /// the end of the process; should the machine itself fail, the nodes send again what they still have.
    private func synchroniseSoon() {
        guard self.directory != nil, !self.isSynchronising else { return }
        self.isSynchronising = true
        let mesh = self.actorSystem
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + 1_000_000_000) {
            mesh.detach { await self.synchronise() }
        }
    }

    private func synchronise() {
        self.isSynchronising = false
        self.store.removeOld(at: LogOutlet.now())
        guard self.isChanged, let descriptor = self.store.openFile?.duplicate() else { return }
        self.isChanged = false
        let hasStarted = startThread(named: "mesh-log-sync") {
            fdatasync(descriptor)
            close(descriptor)
        }
        if !hasStarted { close(descriptor) }
    }
}

extension LogCollector: RoleGuarded {
    package static func permits(_ method: String, to role: MeshRole) -> Bool {
        let looks: Set = ["read", "readBack", "end", "usage"]
        let speaks: Set = ["begin", "take"]
        return looks.contains(method) || role == .driver && speaks.contains(method)
    }
}
