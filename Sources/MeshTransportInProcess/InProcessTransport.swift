package import MeshCore
import Synchronization

/// A process's end of a network that is all in one process. For tests: made by an ``InProcessHub``.
package final class InProcessTransport: MeshTransport {
    package let endpoints: [String]
    private let hub: InProcessHub
    private let inbox: Inbox

    init(hub: InProcessHub, endpoint: String, inbox: Inbox) {
        self.hub = hub
        self.endpoints = [endpoint]
        self.inbox = inbox
    }

    package func receive(waiting: Bool) -> InboundMessage? { self.inbox.take(waiting: waiting) }

    package func connect(to endpoint: String, watching: Bool) throws(MeshError) -> any TransportChannel {
        guard endpoint.hasPrefix("memory://") else {
            throw MeshError(
                .invalidArgument,
                "\(endpoint) is no address in this process; those look like memory://1.")
        }
        return self.hub.makeChannel(from: self.endpoints[0], to: endpoint)
    }

    package func interrupt() { self.inbox.interrupt() }

    package func close() {
        self.hub.remove(self.endpoints[0])
        self.inbox.close()
    }
}

/// The way from one transport of a hub to another.
final class InProcessChannel: TransportChannel {
    private let hub: InProcessHub
    private let source: String
    private let destination: String
    private let generator: Mutex<SeededGenerator?>

    init(hub: InProcessHub, source: String, destination: String, generator: SeededGenerator) {
        self.hub = hub
        self.source = source
        self.destination = destination
        self.generator = Mutex(generator)
    }

    func send(_ message: OutboundMessage) -> Bool {
        // The bytes are not copied: nobody writes to them any more.
        let inbound = InboundMessage(
            head: message.head.bytes, attachments: message.attachments, owner: message.head)
        self.generator.withLock { generator in
            guard var own = generator else { return }
            self.hub.carry(inbound, from: self.source, to: self.destination, using: &own)
            generator = own
        }
        return true
    }

    func close() { self.generator.withLock { $0 = nil } }
}
