import ActorMesh

/// The messages of a MessageActor, those that are kept first, by asking it again and again.
struct PolledMessages: AsyncSequence {
    private let messages: MessageActor

    init(of messages: MessageActor) { self.messages = messages }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let messages: MessageActor
        private var ready: ArraySlice<Message> = []
        private var last: UInt64 = 0

        fileprivate init(_ messages: MessageActor) { self.messages = messages }

        mutating func next() async throws -> Message? {
            while self.ready.isEmpty {
                let last = self.last
                self.ready = try await self.messages.messages().filter { $0.sequence > last }[...]
                if self.ready.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
            }
            let message = self.ready.removeFirst()
            self.last = message.sequence
            return message
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(self.messages) }
}
