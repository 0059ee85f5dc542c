import Distributed
import FoundationEssentials
import MeshCore

/// A sequence of values that one process writes and another reads while it is written.
///
/// It can be the result of a distributed method, an argument, or a field of a task:
///
/// ```swift
/// distributed func ticks() -> MeshStream<Int> {
///     MeshStream { continuation in
///         for tick in 0..<1_000_000 { try await continuation.send(tick) }
///     }
/// }
/// for try await tick in try await clock.ticks() { … }
/// ```
///
/// Elements arrive exactly once and in order. The reader asks for them as it takes them, and the writer may be at most
/// `bufferingLimit` elements ahead of what the reader has taken. What happens then is up to ``StreamOverflow``: the
/// writer waits, or the oldest elements are skipped and the reader is told how many.
///
/// A stream has **one reader**. The process that receives it may pass it on as long as it has not read from it. It may
/// be read by several loops one after the other; a second task that reads at the same time gets `invalidArgument`.
///
/// How iteration ends:
/// - The writer finished: the loop ends, or throws the error that the writer gave, as its own type if it is `Codable`.
/// - The writer's process died, or it let go of its continuation without finishing: `actorDied`, after the elements
///   that had arrived.
/// - The reader took nothing for longer than the writer was willing to wait: `slowConsumer`, with how many elements
///   it missed.
/// - Elements were skipped: `slowConsumer` too; reading goes on behind the gap when the stream is iterated again. Use
///   ``reportingGaps`` to get gaps as items instead.
/// - The reading task was cancelled: `cancelled`; nothing is lost for the next loop.
///
/// When the reader lets go of the stream, or its process ends, the writer is told; see ``Continuation``.
public struct MeshStream<Element: Codable & Sendable>: AsyncSequence, Sendable {
    let reader: StreamReader<Element>

    /// Makes a stream and the means to write it.
    ///
    /// - Parameters:
    ///   - bufferingLimit: how many elements the writer may be ahead of the reader; at least 1.
    ///   - onFull: what happens when it is that far ahead.
    public static func makeStream(
        of elementType: Element.Type = Element.self, bufferingLimit: Int = 1024, onFull: StreamOverflow = .wait
    ) -> (stream: MeshStream, continuation: Continuation) {
        self.makeStream(bufferingLimit: bufferingLimit, onFull: onFull, backlog: EmptyCollection())
    }

    /// The same with elements that are there from the start, for which the limit is raised.
    package static func makeStream(
        bufferingLimit: Int = 1024, onFull: StreamOverflow = .wait, backlog: some Sequence<Element>
    ) -> (stream: MeshStream, continuation: Continuation) {
        let source = StreamSource(bufferingLimit: bufferingLimit, onFull: onFull, backlog: backlog)
        return (MeshStream(reader: StreamReader(source)), Continuation(source))
    }

    /// A stream that a closure writes. It runs in a task of its own, which is cancelled when the reader goes; when it
    /// returns the stream is finished, and what it throws ends the reader's loop.
    public init(
        bufferingLimit: Int = 1024, onFull: StreamOverflow = .wait,
        _ write: @escaping @Sendable (Continuation) async throws -> Void
    ) {
        let (stream, continuation) = Self.makeStream(bufferingLimit: bufferingLimit, onFull: onFull)
        self = stream
        let task = Task {
            do {
                try await write(continuation)
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination { _ in task.cancel() }
    }

    init(reader: StreamReader<Element>) { self.reader = reader }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(reader: self.reader) }

    /// Reads a stream; a gap is thrown as `slowConsumer`.
    public struct Iterator: AsyncIteratorProtocol {
        let reader: StreamReader<Element>

        /// The next element, as soon as there is one; nil at the end. For how it fails see ``MeshStream``.
        public mutating func next() async throws -> Element? {
            switch try await self.reader.next() {
            case .element(let element): return element
            case .missed(let count):
                throw MeshError(
                    .slowConsumer,
                    "This reader was too slow and missed \(count) elements, which were skipped. Iterate the stream "
                        + "again to go on behind them, or iterate its reportingGaps.")
            case nil: return nil
            }
        }
    }
}

extension MeshStream: Codable {
    /// Reads a stream, inside of what a mesh received.
    ///
    /// - Throws: `DecodingError` when the decoder is not one of a mesh's own.
    public init(from decoder: any Decoder) throws {
        guard let mesh = decoder.userInfo[.actorSystemKey] as? Mesh else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath,
                    debugDescription: "A stream can only be read by a mesh: as a result, an argument or a task's field."
                ))
        }
        let fields = try StreamFields(from: decoder)
        guard fields.address.peer == mesh.address.peer else {
            let remote = RemoteStream(id: fields.id, address: fields.address, mesh: mesh)
            self.init(reader: StreamReader(remote, window: fields.window, hold: fields.hold(on: mesh)))
            return
        }
        guard let source = mesh.streams.find(fields.id) as? StreamSource<Element> else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath,
                    debugDescription: "This process has no such stream of \(Element.self) (any more)."))
        }
        self.init(reader: StreamReader(source, hold: fields.hold(on: mesh)))
        self.reader.attach()
    }

    /// Passes the stream on: whoever decodes it reads it. A stream that nobody begins to decode within 60 s ends.
    ///
    /// - Throws: `invalidArgument` when it has been read from or passed on before; `EncodingError` when the encoder is
    ///   not one of a mesh's own.
    public func encode(to encoder: any Encoder) throws {
        guard let mesh = encoder.userInfo[.actorSystemKey] as? Mesh else {
            throw EncodingError.invalidValue(
                self,
                EncodingError.Context(
                    codingPath: encoder.codingPath,
                    debugDescription: "A stream can only be sent by a mesh: as a result, an argument or a task's field."
                ))
        }
        let fields = try self.reader.passOn(on: mesh)
        try fields.encode(to: encoder)
        if let lease = fields.hold(on: mesh) { encoder.handleSink?.note(lease) }
    }
}

/// How a stream travels. MessagePack: `[stream, window, address, actor or nil]`.
struct StreamFields: Codable, Hashable, Sendable {
    var id: UniqueID
    /// How many elements the writer may be ahead.
    var window: Int
    /// The process that writes it.
    var address: PeerAddress
    /// The actor that writes it, which lives for as long as somebody may read the stream, as if the reader had a handle
    /// to it.
    var writer: UniqueID?

    init(id: UniqueID, window: Int, address: PeerAddress, writer: UniqueID?) {
        self.writer = writer
        self.id = id
        self.window = window
        self.address = address
    }

    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self.id = try container.decode(UniqueID.self)
        self.window = try container.decode(Int.self)
        self.address = try container.decode(PeerAddress.self)
        self.writer = try container.decode(UniqueID?.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.id)
        try container.encode(self.window)
        try container.encode(self.address)
        try container.encode(self.writer)
    }

    func hold(on mesh: Mesh) -> HandleLease? { self.writer.map { mesh.lease(for: $0) } }
}
