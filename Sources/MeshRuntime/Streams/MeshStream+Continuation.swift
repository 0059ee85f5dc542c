public import MeshCore

extension MeshStream {
    /// The means to write a stream. Any number of tasks may use it.
    ///
    /// When the last copy goes before the stream was finished, its reader gets `actorDied`: a stream never just stops.
    public struct Continuation: Sendable {
        private let token: Token

        init(_ source: StreamSource<Element>) { self.token = Token(source) }

        private var source: StreamSource<Element> { self.token.source }

        /// Writes an element. Suspends while the reader is `bufferingLimit` elements behind; those who wait are
        /// served in order. When this returns the element will reach the reader, unless its process dies or it stops.
        ///
        /// - Throws: why nobody reads any more: `cancelled` when the reader let go of the stream, `actorDied` when its
        ///   process ended, `slowConsumer` when it was cut off, `deadlineExceeded` when nobody ever began to read;
        ///   `invalidArgument` when the stream was finished; `cancelled` when this task was cancelled while it waited.
        ///   The element is not sent then.
        public func send(_ element: Element) async throws { try await self.source.send(element) }

        /// Writes an element if that needs no waiting. Returns false when there is no room or the stream has ended.
        @discardableResult
        public func trySend(_ element: Element) -> Bool { self.source.offer(element) == .accepted }

        /// Ends the stream once the reader has taken what was written. Only the first call counts.
        ///
        /// - Parameter error: what the reader's loop throws at the end, as its own type if it is `Codable`.
        public func finish(throwing error: (any Error)? = nil) {
            self.source.finish(error.map { .failed($0) } ?? .finished)
            self.source.writerDone()
        }

        /// Has something done when the stream ends, at once if it has. It is told why the reader is gone, as `send`
        /// would throw it; nil when the stream was finished. It must not block. There may be several actions.
        public func onTermination(_ action: @escaping @Sendable (MeshError?) -> Void) {
            self.source.onTermination(action)
        }

        /// Whether nothing can be sent any more.
        public var isTerminated: Bool { self.source.hasEnded }

        /// Writes an element also when there is no room. Returns whether the writer is to `waitForRoom` then.
        package func push(_ element: Element) -> Bool { self.source.push(element) }

        /// Waits until the reader is at most `bufferingLimit` elements behind, or the stream has ended.
        package func waitForRoom() async { _ = await self.source.waitForRoom() }
    }

    /// Ends the stream with the last reference to its continuation.
    private final class Token: Sendable {
        let source: StreamSource<Element>

        init(_ source: StreamSource<Element>) { self.source = source }

        deinit {
            let message = "The writer of the stream ended, or let go of it, before the stream was finished."
            self.source.finish(.failed(MeshError(.actorDied, message)))
            self.source.writerDone()
        }
    }
}
