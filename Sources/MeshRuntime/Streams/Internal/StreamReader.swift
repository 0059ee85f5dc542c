import CMeshPlatform
import MeshCore
import Synchronization

/// The reading end of a stream. When the last reference goes, its writer is told.
final class StreamReader<Element: Codable & Sendable>: Sendable {
    private enum Origin {
        case here(StreamSource<Element>)
        case there(RemoteStream)
    }

    private let origin: Origin
    private let number = UInt64.random(in: 1...UInt64.max)
    private let state: Mutex<StreamReaderState<Element>>
    private let isPassedOn = Atomic<Bool>(false)
    private let isClosed = Atomic<Bool>(false)
    /// Keeps the actor that writes it.
    private let hold: HandleLease?

    /// The reader of a stream that is written in this process.
    init(_ source: StreamSource<Element>, hold: HandleLease? = nil) {
        self.hold = hold
        self.origin = .here(source)
        self.state = Mutex(StreamReaderState(window: source.window))
    }

    /// The reader of a stream that is written in another process, which learns of it at once.
    init(_ remote: RemoteStream, window: Int, hold: HandleLease?) {
        self.hold = hold
        self.origin = .there(remote)
        self.state = Mutex(StreamReaderState(window: window))
        remote.tell { [number] in try await $0.attach(remote.id, reader: number) }
    }

    deinit {
        guard !self.isPassedOn.load(ordering: .sequentiallyConsistent) else { return }
        self.close()
    }

    /// Nothing more is wanted, or comes: the writer keeps nothing for this reader any more.
    private func close() {
        guard !self.isClosed.exchange(true, ordering: .relaxed) else { return }
        switch self.origin {
        case .here(let source): source.close(reader: self.number)
        case .there(let remote): remote.tell { [number] in try await $0.close(remote.id, reader: number) }
        }
    }

    /// The stream has come to this process, also if it is the one that writes it.
    func attach() {
        if case .here(let source) = self.origin { source.attach(reader: self.number, peer: nil) }
    }

    /// The next element or gap; nil at the end.
    func next() async throws -> StreamItem<Element>? {
        guard !self.isPassedOn.load(ordering: .sequentiallyConsistent) else {
            throw MeshError(.invalidArgument, "The stream was passed on; whoever received it reads it now.")
        }
        while true {
            switch self.state.withLock({ $0.step(now: cmesh_monotonic_nanoseconds()) }) {
            case .give(let item, let acknowledge):
                if let acknowledge { self.acknowledge(upTo: acknowledge) }
                return item
            case .fetch: try await self.fetch()
            case .end: return nil
            case .fail(let error): throw error
            case .busy:
                throw MeshError(.invalidArgument, "Another task waits for the next element of this stream.")
            }
        }
    }

    private func fetch() async throws {
        let (from, window) = self.state.withLock { ($0.next, $0.window) }
        do {
            if Task.isCancelled { throw MeshError(.cancelled, "The task that reads the stream was cancelled.") }
            let batch: StreamBatch<Element>
            switch self.origin {
            case .here(let source):
                batch = try await source.pull(reader: self.number, peer: nil, from: from, limit: window)
            case .there(let remote):
                batch = try await remote.pull(Element.self, reader: self.number, from: from, credit: window)
            }
            try self.state.withLock { state throws(MeshError) in
                try state.receive(batch, now: cmesh_monotonic_nanoseconds())
            }
            if batch.end != nil { self.close() }
        } catch {
            // After these the question can be asked again, and nothing is lost.
            let repeatable: [MeshError.Code] = [.cancelled, .deadlineExceeded, .actorUnavailable]
            let isFinal = (error as? MeshError).map { !repeatable.contains($0.code) } ?? true
            self.state.withLock { $0.fetchFailed(isFinal: isFinal) }
            throw error
        }
    }

    private func acknowledge(upTo number: UInt64) {
        switch self.origin {
        case .here(let source): source.acknowledge(reader: self.number, upTo: number)
        case .there(let remote):
            remote.tell { [reader = self.number] in
                try await $0.acknowledge(remote.id, reader: reader, upTo: number)
            }
        }
    }

    /// What another process needs to read the stream, which this one then does no more.
    func passOn(on mesh: Mesh) throws -> StreamFields {
        guard !self.state.withLock({ $0.hasBegun }) else {
            throw MeshError(.invalidArgument, "A stream that has been read from cannot be passed on.")
        }
        guard !self.isPassedOn.exchange(true, ordering: .sequentiallyConsistent) else {
            throw MeshError(.invalidArgument, "The stream has been passed on before, and it has one reader.")
        }
        switch self.origin {
        case .here(let source):
            return StreamFields(
                id: source.register(on: mesh), window: source.window, address: mesh.address,
                writer: self.hold?.actor ?? mesh.runningActor)
        case .there(let remote):
            return StreamFields(
                id: remote.id, window: self.state.withLock { $0.window }, address: remote.address,
                writer: self.hold?.actor)
        }
    }
}
