import CZeroMQ
import FoundationEssentials
import Glibc
package import MeshCore
import Synchronization

/// Carries messages over ZeroMQ: one bound socket takes in everything, and each peer gets a connected one of its own
/// (the *harmony pattern* of the ZeroMQ guide). Each side reconnects by itself, and no message needs an answer.
package final class ZeroMQTransport: MeshTransport {
    package let endpoints: [String]
    private let context: ZeroMQContext
    private let inbound: ZeroMQSocket
    private let waker: Mutex<ZeroMQSocket>
    private let channels = OpenChannels()
    private let isClosed = Atomic<Bool>(false)

    /// The largest message that is taken in; a peer that announces more is cut off.
    package static let maximumMessageSize: Int64 = 1 << 31

    /// Binds the inbound socket.
    ///
    /// - Parameters:
    ///   - endpoints: `ipc://path` and `tcp://address:port`; port `*` takes a free one.
    ///   - patience: for how many nanoseconds to wait, blocking the thread, for an address that is in use. One that is
    ///     made known before it is bound may be taken for a moment: whoever tries to reach it on this host may get the
    ///     very port as his own.
    /// - Throws: `systemFailure` when an endpoint cannot be bound.
    package init(bind endpoints: [String], patience: UInt64 = 0) throws(MeshError) {
        let context = try ZeroMQContext()
        let inbound = try ZeroMQSocket(context, type: ZMQ_PULL)
        inbound.set(ZMQ_LINGER, 0)
        inbound.set(ZMQ_RCVHWM, 1000)
        inbound.set(ZMQ_MAXMSGSIZE, long: Self.maximumMessageSize)
        inbound.set(ZMQ_IPV6, 1)
        var bound: [String] = []
        var waited: UInt64 = 0
        for endpoint in endpoints {
            while zmq_bind(inbound.handle, endpoint) != 0 {
                if zmq_errno() == EADDRINUSE, waited < patience {
                    usleep(50_000)
                    waited += 50_000_000
                    continue
                }
                let reason = zeroMQError()
                throw MeshError(
                    .systemFailure,
                    "The address \(endpoint) cannot be bound: \(reason). "
                        + "Choose another, or end the process that has it.")
            }
            bound.append(inbound.text(ZMQ_LAST_ENDPOINT))
        }
        let wake = "inproc://wake"
        guard zmq_bind(inbound.handle, wake) == 0 else {
            throw MeshError(.systemFailure, "The wake-up socket cannot be bound: \(zeroMQError()).")
        }
        let waker = try ZeroMQSocket(context, type: ZMQ_PUSH)
        waker.set(ZMQ_LINGER, 0)
        guard zmq_connect(waker.handle, wake) == 0 else {
            throw MeshError(.systemFailure, "The wake-up socket cannot be connected: \(zeroMQError()).")
        }
        self.context = context
        self.inbound = inbound
        self.waker = Mutex(waker)
        self.endpoints = bound.sorted { $0.hasPrefix("ipc:") && !$1.hasPrefix("ipc:") }
    }

    package func receive(waiting: Bool) -> InboundMessage? {
        guard !self.isClosed.load(ordering: .acquiring) else { return nil }
        guard let head = self.inbound.receive(waiting: waiting) else { return nil }
        var attachments: [Data] = []
        var last = head
        while last.hasMore {
            guard let next = self.inbound.receive(waiting: true) else { return nil }
            attachments.append(next.data())
            last = next
        }
        // An empty message is the wake-up call.
        guard head.count > 0 else { return nil }
        return InboundMessage(head: head.bytes, attachments: attachments, owner: head)
    }

    package func connect(to endpoint: String) throws(MeshError) -> any TransportChannel {
        let socket = try ZeroMQSocket(self.context, type: ZMQ_PUSH)
        socket.set(ZMQ_LINGER, 300)
        // What is under way is bounded by the windows of the calls; the queue must not refuse a part of a window.
        socket.set(ZMQ_SNDHWM, 10_000)
        socket.set(ZMQ_RECONNECT_IVL, 20)
        socket.set(ZMQ_RECONNECT_IVL_MAX, 1000)
        socket.set(ZMQ_IPV6, 1)
        if endpoint.hasPrefix("tcp:") {
            // Notices a connection whose other end has vanished; answered by the peer's I/O thread, whatever its
            // user code does.
            socket.set(ZMQ_HEARTBEAT_IVL, 1000)
            socket.set(ZMQ_HEARTBEAT_TIMEOUT, 3000)
        }
        guard zmq_connect(socket.handle, endpoint) == 0 else {
            defer { socket.close() }
            throw MeshError(
                .invalidArgument,
                "\(endpoint) is no address to connect to: \(zeroMQError()). "
                    + "Addresses look like tcp://10.0.0.7:4711 or ipc:///run/mesh/1.sock.")
        }
        let channel = ZeroMQChannel(socket, in: self.channels)
        guard self.channels.add(channel) else {
            channel.close()
            throw MeshError(.shutDown, "This process has left its mesh.")
        }
        return channel
    }

    package func interrupt() {
        self.waker.withLock { _ = zmq_send($0.handle, nil, 0, ZMQ_DONTWAIT) }
    }

    package func close() {
        guard !self.isClosed.exchange(true, ordering: .sequentiallyConsistent) else { return }
        self.interrupt()
        // The context waits for every socket, also for those of code that has not yet heard of the end.
        self.channels.closeAll()
        self.waker.withLock { $0.close() }
        self.inbound.close()
        self.context.close()
    }
}

/// The ways that are open.
private final class OpenChannels: Sendable {
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
private final class ZeroMQChannel: TransportChannel {
    /// The link takes turns; the lock makes closing safe against a late sender.
    private let socket: Mutex<ZeroMQSocket?>
    private let open: OpenChannels

    init(_ socket: ZeroMQSocket, in open: OpenChannels) {
        self.socket = Mutex(socket)
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

    func close() {
        self.socket.withLock { socket in
            socket?.close()
            socket = nil
        }
        self.open.remove(self)
    }
}
