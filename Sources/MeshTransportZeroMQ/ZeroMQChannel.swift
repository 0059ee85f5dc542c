import CZeroMQ
import FoundationEssentials
import MeshCore
import Synchronization

/// The ways that are open.
final class OpenChannels: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: ZeroMQChannel] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Returns false when all have been closed.
    func add(_ channel: ZeroMQChannel) -> Bool {
        self.state.withLock { state in
            guard !state.isClosed else { return false }
            state.channels[ObjectIdentifier(channel)] = channel
            return true
        }
    }

    func remove(_ channel: ZeroMQChannel) { self.state.withLock { $0.channels[ObjectIdentifier(channel)] = nil } }

    func closeAll() {
        let channels = self.state.withLock { state in
            state.isClosed = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.close() }
    }
}

/// The way to one peer.
final class ZeroMQChannel: TransportChannel {
    /// The link takes turns; the lock makes closing safe against a late sender.
    private let socket: Mutex<ZeroMQSocket?>
    private let watch: Mutex<HandshakeWatch?>
    private let open: OpenChannels

    init(_ socket: ZeroMQSocket, _ watch: sending HandshakeWatch?, in open: OpenChannels) {
        self.socket = Mutex(socket)
        self.watch = Mutex(watch)
        self.open = open
    }

    func send(_ message: OutboundMessage) -> Bool {
        self.socket.withLock { socket in
            guard let socket else { return true }
            let count = message.attachments.count
            guard socket.send(message.head, more: count > 0) else { return false }
            for (index, attachment) in message.attachments.enumerated() {
                socket.send(attachment, more: index < count - 1)
            }
            return true
        }
    }

    var isRefused: Bool { self.watch.withLock { $0?.isRefused() ?? false } }

    func close() {
        self.watch.withLock { watch in
            watch?.close()
            watch = nil
        }
        self.socket.withLock { socket in
            socket?.close()
            socket = nil
        }
        self.open.remove(self)
    }
}
