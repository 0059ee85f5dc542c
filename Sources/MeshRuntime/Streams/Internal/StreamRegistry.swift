import CMeshPlatform
import Distributed
import FoundationEssentials
import MeshCore
import Synchronization

/// A stream that other processes may read, whatever its elements are.
protocol RegisteredStream: AnyObject, Sendable {
    func pull(_ request: StreamRequest, peer: PeerID?, mesh: Mesh) async throws -> EncodedBatch
    func attach(reader: UInt64, peer: PeerID?)
    func acknowledge(reader: UInt64, upTo number: UInt64)
    func close(reader: UInt64)
    func finish(_ end: StreamEnd)
    func isRead(by peer: PeerID) -> Bool
    /// Calls `action` when the writer has finished the stream, or let go of it. Returns false, and does not call it,
    /// when that is so already.
    func whenWriterDone(_ action: @escaping @Sendable () -> Void) -> Bool
    func tick(now: UInt64) -> (next: UInt64?, isNeeded: Bool)
}

/// The streams that are written in this process and read, or about to be read, in others.
final class StreamRegistry: Sendable {
    /// How long a stream waits for somebody to begin reading it.
    static let unreadLimit: UInt64 = 60_000_000_000
    /// After this time a reader's question is answered with nothing, so that each end hears of the other.
    static let keepAliveInterval: UInt64 = 10_000_000_000
    /// A batch of more bytes is sent without waiting for more elements.
    static let batchSize = 256 << 10

    private struct Entry {
        var stream: any RegisteredStream
        /// Those of the task that writes it, which goes on as long as it is here.
        var task: TaskStreams?

        /// The stream is over: for the task, once its writer has done what it does at the end.
        func leave(_ id: UniqueID) {
            guard let task = self.task else { return }
            if !self.stream.whenWriterDone({ task.remove(id) }) { task.remove(id) }
        }
    }

    private struct State {
        var streams: [UniqueID: Entry] = [:]
        var isPrepared = false
        /// When the next look is due.
        var wakeAt: UInt64?
        var ended: MeshError?
    }

    private let state = Mutex(State())
    private unowned let mesh: Mesh

    init(mesh: Mesh) { self.mesh = mesh }

    func add(_ stream: any RegisteredStream, _ id: UniqueID) {
        let (isFirst, ended) = self.state.withLock { state -> (Bool, MeshError?) in
            if let ended = state.ended { return (false, ended) }
            let task = MeshScope.current?.call?.streams
            task?.add(stream, id)
            state.streams[id] = Entry(stream: stream, task: task)
            defer { state.isPrepared = true }
            return (!state.isPrepared, nil)
        }
        if let ended { stream.finish(.lost(ended)) }
        if isFirst { self.prepare() }
    }

    func find(_ id: UniqueID) -> (any RegisteredStream)? { self.state.withLock { $0.streams[id]?.stream } }

    func remove(_ id: UniqueID) {
        // What a stream still holds may be streams itself, which come here when they go: not under the lock.
        let removed = self.state.withLock { $0.streams.removeValue(forKey: id) }
        removed?.leave(id)
    }

    /// How many streams there are, for tests and reports.
    var count: Int { self.state.withLock { $0.streams.count } }

    /// Opens the door for readers in other processes, and watches for those that go.
    private func prepare() {
        self.mesh.hostStreams()
        self.mesh.onPeerLost { [weak mesh] peer, error in
            guard let mesh else { return }
            guard error.code == .actorUnavailable else { return mesh.streams.lost(peer, error) }
            // It was only silent: it may come back and go on reading.
            _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + Self.unreadLimit) { [weak mesh] in
                if let mesh, mesh.hasLost(peer) { mesh.streams.lost(peer, error) }
            }
        }
    }

    private func lost(_ peer: PeerID, _ error: MeshError) {
        let streams = self.state.withLock { state in
            let lost = state.streams.filter { $0.value.stream.isRead(by: peer) }
            for id in lost.keys { state.streams[id] = nil }
            return lost
        }
        let error = MeshError(.actorDied, "The process that read the stream is gone.", cause: error)
        for (id, entry) in streams {
            entry.stream.finish(.lost(error))
            entry.leave(id)
        }
    }

    /// This process leaves its mesh.
    func endAll(with error: MeshError) {
        let streams = self.state.withLock { state in
            state.ended = error
            defer { state.streams = [:] }
            return state.streams
        }
        for (id, entry) in streams {
            entry.stream.finish(.lost(error))
            entry.leave(id)
        }
    }

    // MARK: Time

    /// Looks after the streams at that time, or earlier.
    func wake(at time: UInt64) {
        let isEarlier = self.state.withLock { state in
            if let known = state.wakeAt, known <= time { return false }
            state.wakeAt = time
            return true
        }
        guard isEarlier else { return }
        _ = self.mesh.schedule(at: time) { [weak mesh] in mesh?.streams.tick() }
    }

    private func tick() {
        let now = cmesh_monotonic_nanoseconds()
        let streams = self.state.withLock { state -> [UniqueID: any RegisteredStream] in
            // A timer that a later, earlier one has overtaken finds its work done.
            guard let due = state.wakeAt, now >= due else { return [:] }
            state.wakeAt = nil
            return state.streams.mapValues(\.stream)
        }
        var next: UInt64?
        for (id, stream) in streams {
            let (time, isNeeded) = stream.tick(now: now)
            if !isNeeded { self.remove(id) }
            if let time { next = min(next ?? time, time) }
        }
        if let next { self.wake(at: next) }
    }
}

extension Mesh {
    /// This process's streams.
    var streams: StreamRegistry {
        self.extensions.withLock { extensions in
            let key = ObjectIdentifier(StreamRegistry.self)
            if let known = extensions[key] as? StreamRegistry { return known }
            let registry = StreamRegistry(mesh: self)
            extensions[key] = registry
            return registry
        }
    }

    /// Makes the actor that readers in other processes ask.
    fileprivate func hostStreams() {
        self.hostService(StreamHost.self, as: WellKnown.streams) { StreamHost(actorSystem: $0) }
    }
}
