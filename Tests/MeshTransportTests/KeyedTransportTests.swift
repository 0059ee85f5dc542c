import FoundationEssentials
import Glibc
import MeshCore
import MeshSecurity
import MeshTransportZeroMQ
import Synchronization
import Testing

/// B4, between two sockets.
@Suite struct KeyedTransportTests {
    private static let phrase = "the quick brown fox jumps over the lazy dog"

    /// Receives in a thread of its own until `close`.
    private final class Receiver: Sendable {
        let transport: ZeroMQTransport
        private let messages: AsyncStream<InboundMessage>
        private let isOver = Atomic<Bool>(false)

        init(key: MeshKey?) throws {
            let transport = try ZeroMQTransport(bind: ["tcp://127.0.0.1:*"], key: key)
            let (messages, continuation) = AsyncStream.makeStream(of: InboundMessage.self)
            self.transport = transport
            self.messages = messages
            startThread(named: "receiver") { [self] in
                while !self.isOver.load(ordering: .sequentiallyConsistent) {
                    if let message = transport.receive(waiting: true) { continuation.yield(message) }
                }
                continuation.finish()
                // Whoever receives is the last to use it.
                transport.close()
            }
        }

        func close() {
            self.isOver.store(true, ordering: .sequentiallyConsistent)
            self.transport.interrupt()
        }

        /// The next message; nil when the time is over, which only turns a hang into a failure.
        func next(within limit: Duration = .seconds(60)) async -> InboundMessage? {
            let alarm = Task {
                try await Task.sleep(for: limit)
                self.close()
            }
            defer { alarm.cancel() }
            for await message in self.messages { return message }
            return nil
        }
    }

    private func text(of message: InboundMessage) -> String {
        withExtendedLifetime(message) { String(decoding: message.head, as: UTF8.self) }
    }

    private func message(_ text: String) -> OutboundMessage {
        let buffer = WireBuffer(capacity: 256)
        Array(text.utf8).withUnsafeBytes { buffer.append($0) }
        return OutboundMessage(head: buffer)
    }

    @Test("what crosses the wire cannot be read with a key, and can be without", arguments: [true, false])
    func sniffed(hasKey: Bool) async throws {
        let key = hasKey ? try MeshKey.make() : nil
        let receiver = try Receiver(key: key)
        defer { receiver.close() }
        let sender = try ZeroMQTransport(bind: ["inproc://sender"], key: key)
        defer { sender.close() }
        let tap = try Wiretap(before: receiver.transport.endpoints[0])
        defer { tap.close() }
        let channel = try sender.connect(to: tap.endpoint)
        #expect(channel.send(self.message(Self.phrase)))
        let message = try #require(await receiver.next())
        #expect(self.text(of: message) == Self.phrase)
        #expect(message.key == (hasKey ? .member : nil))
        let bytes = tap.bytes
        #expect(bytes.count > Self.phrase.utf8.count)
        #expect(bytes.contains(Array(Self.phrase.utf8)) != hasKey)
    }

    @Test("a message says by which key it came, in both directions")
    func roles() async throws {
        let mesh = try MeshKey.make()
        let observer = try mesh.key(of: #require(KeyIdentity(.observer, 7)))
        let (member, other) = (try Receiver(key: mesh), try Receiver(key: observer))
        defer {
            member.close()
            other.close()
        }
        try #expect(other.transport.connect(to: member.transport.endpoints[0]).send(self.message("up")))
        #expect(try #require(await member.next()).key == observer.identity)
        // The endpoint of who is no member names the key to expect there.
        #expect(other.transport.endpoints[0].contains("#"))
        try #expect(member.transport.connect(to: other.transport.endpoints[0]).send(self.message("down")))
        #expect(try #require(await other.next()).key == .member)
    }

    private enum Stranger: CaseIterable {
        case keyless, foreign, revoked, otherObserver
    }

    @Test("strangers get nothing through, know that they are refused, and are counted", arguments: Stranger.allCases)
    private func strangers(_ stranger: Stranger) async throws {
        let mesh = try MeshKey.make()
        let observer = try mesh.key(of: #require(KeyIdentity(.observer, 7)))
        // An observer lets in members only.
        let receiver = try Receiver(key: stranger == .otherObserver ? observer : mesh)
        defer { receiver.close() }
        let key: MeshKey? =
            switch stranger {
            case .keyless: nil
            case .foreign: try MeshKey.make()
            case .revoked: observer
            case .otherObserver: try mesh.key(of: #require(KeyIdentity(.observer, 8)))
            }
        receiver.transport.revoke([observer.identity])
        let sender = try ZeroMQTransport(bind: ["inproc://sender"], key: key)
        defer { sender.close() }
        let channel = try sender.connect(to: receiver.transport.endpoints[0], watching: true)
        _ = channel.send(self.message("let me in"))
        let deadline = ContinuousClock.now + .seconds(60)
        while !channel.isRefused, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        #expect(channel.isRefused)
        if stranger == .revoked { #expect(receiver.transport.refusals.keysRefused > 0) }
        // Whatever it sent would have come before this.
        let member = try ZeroMQTransport(bind: ["inproc://member"], key: mesh)
        defer { member.close() }
        try #expect(member.connect(to: receiver.transport.endpoints[0]).send(self.message("friend")))
        let first = try #require(await receiver.next())
        #expect(self.text(of: first) == "friend")
    }

    @Test("hundreds of connections that say nothing are cut, and messages of others go through")
    func flood() async throws {
        let key = try MeshKey.make()
        let receiver = try Receiver(key: key)
        defer { receiver.close() }
        let endpoint = receiver.transport.endpoints[0]
        let port = try #require(endpoint.split(separator: ":").last.flatMap { UInt16($0) })
        let sender = try ZeroMQTransport(bind: ["inproc://sender"], key: key)
        defer { sender.close() }
        let channel = try sender.connect(to: endpoint)
        #expect(channel.send(self.message("before")))
        _ = try #require(await receiver.next())
        let idle = (0..<600).map { _ in connectLoopback(port: port, from: 2) }
        defer { for descriptor in idle { close(descriptor) } }
        #expect(idle.allSatisfy { $0 >= 0 })
        let deadline = ContinuousClock.now + .seconds(60)
        while receiver.transport.refusals.connectionsCut < 600 - 256, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        // A friend's connection that is made anew is not cut for them.
        #expect(receiver.transport.refusals.connectionsCut >= 600 - 256)
        // A connection of its own may break on a busy machine, with what is on its way; then there is another.
        let sending = Task {
            while !Task.isCancelled {
                _ = channel.send(self.message("after"))
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { sending.cancel() }
        for _ in 0..<10 {
            #expect(self.text(of: try #require(await receiver.next())) == "after")
        }
    }
}
