import CZeroMQ
import FoundationEssentials
import Glibc
package import MeshCore
package import MeshSecurity
import Synchronization

/// Carries messages over ZeroMQ: one bound socket takes in everything, and each peer gets a connected one of its own
/// (the *harmony pattern* of the ZeroMQ guide). Each side reconnects by itself, and no message needs an answer.
package final class ZeroMQTransport: MeshTransport {
    package let endpoints: [String]
    private let context: ZeroMQContext
    private let inbound: ZeroMQSocket
    private let waker: Mutex<ZeroMQSocket>
    private let channels = OpenChannels()
    private let key: MeshKey?
    private let gatekeeper: Gatekeeper?
    private let isClosed = Atomic<Bool>(false)

    /// The largest message that is taken in; a peer that announces more is cut off.
    package static let maximumMessageSize: Int64 = 1 << 31

    /// Binds the inbound socket.
    ///
    /// - Parameters:
    ///   - endpoints: `ipc://path` and `tcp://address:port`; port `*` takes a free one, `6000-6099` the first free one
    ///     of those.
    ///   - patience: for how many nanoseconds to wait, blocking the thread, for an address that is in use. One that is
    ///     made known before it is bound may be taken for a moment: whoever tries to reach it on this host may get the
    ///     very port as his own.
    ///   - key: what this process shows, and by what it knows others.
    /// - Throws: `systemFailure` when an endpoint cannot be bound; `unauthorized` when other hosts could reach it and
    ///   there is no key.
    package init(bind endpoints: [String], patience: UInt64 = 0, key: MeshKey? = nil) throws(MeshError) {
        if key == nil, let open = endpoints.first(where: { !Self.isOfThisHost($0) }) {
            throw MeshError(
                .unauthorized,
                "\(open) can be reached from other hosts, and this process has no key of the mesh. Make one with "
                    + "`mesh keygen mesh.key` and name it in --key-file or MESH_KEY_FILE; or use 127.0.0.1.")
        }
        let context = try ZeroMQContext()
        let inbound = try ZeroMQSocket(context, type: ZMQ_PULL)
        inbound.set(ZMQ_LINGER, 0)
        inbound.set(ZMQ_RCVHWM, 1000)
        inbound.set(ZMQ_MAXMSGSIZE, long: Self.maximumMessageSize)
        inbound.set(ZMQ_IPV6, 1)
        inbound.set(ZMQ_BACKLOG, 1024)
        // What only this host's processes of this user can reach needs no gate.
        var gatekeeper: Gatekeeper?
        if endpoints.contains(where: { $0.hasPrefix("tcp:") }) {
            let limits = ConnectionGate.Limits(all: Self.maximumConnections())
            inbound.set(ZMQ_HANDSHAKE_IVL, Int32(limits.handshake / 1_000_000))
            gatekeeper = try Gatekeeper(context, inbound: inbound, key: key, limits: limits)
        }
        var bound: [String] = []
        var waited: UInt64 = 0
        // What is set for the one kind of socket does not count for those that were bound before.
        for endpoint in endpoints.sorted(by: { !$0.hasPrefix("tcp:") && $1.hasPrefix("tcp:") }) {
            if let key, endpoint.hasPrefix("tcp:") { inbound.secure(asServer: key) }
            var place = TCPEndpoint(endpoint)
            // libzmq knows no names here.
            if place?.host == "localhost" { place?.host = "127.0.0.1" }
            let places = place?.bindable ?? [endpoint]
            while !Self.bind(inbound, toFirstFreeOf: places) {
                if zmq_errno() == EADDRINUSE, waited < patience {
                    usleep(50_000)
                    waited += 50_000_000
                    continue
                }
                let reason = zeroMQError()
                throw MeshError(
                    .systemFailure,
                    "The address \(endpoint) cannot be bound: \(reason). "
                        + (places.count > 1
                            ? "Give more ports, or end a process that has one."
                            : "Choose another, or end the process that has it."))
            }
            let name = inbound.text(ZMQ_LAST_ENDPOINT)
            // Whatever the mask of this process allows: who may connect here needs no key.
            if name.hasPrefix("ipc://") { chmod(String(name.dropFirst("ipc://".count)), 0o600) }
            gatekeeper?.takes(connectionsAt: name)
            bound.append(name)
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
        self.key = key
        self.gatekeeper = gatekeeper
        self.endpoints = bound.map { EndpointKey.adding(key, to: $0) }
        gatekeeper?.start()
    }

    /// Leaves the error of the last try in `zmq_errno`.
    private static func bind(_ socket: ZeroMQSocket, toFirstFreeOf places: [String]) -> Bool {
        for place in places {
            if zmq_bind(socket.handle, place) == 0 { return true }
            guard zmq_errno() == EADDRINUSE else { return false }
        }
        return false
    }

    /// Half of the descriptors that this process may have; the others are for files, workers and connections to others.
    private static func maximumConnections() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 512 }
        // Systems begin with few for the sake of programs that use `select`.
        if limit.rlim_cur < 65_536, limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = min(limit.rlim_max, 65_536)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return Int(clamping: limit.rlim_cur / 2)
    }

    /// Whether only processes of this host can reach an endpoint.
    package static func isOfThisHost(_ endpoint: String) -> Bool {
        guard endpoint.hasPrefix("tcp:") else { return true }
        guard let place = TCPEndpoint(endpoint) else { return false }
        return ["localhost", "lo"].contains(place.host) || place.address?.isLoopback == true
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
        return InboundMessage(
            head: head.bytes, attachments: attachments, owner: head, key: self.key == nil ? nil : head.key)
    }

    package func connect(to endpoint: String, watching: Bool) throws(MeshError) -> any TransportChannel {
        let socket = try ZeroMQSocket(self.context, type: ZMQ_PUSH)
        socket.set(ZMQ_LINGER, 300)
        // What is under way is bounded by the windows of the calls; the queue must not refuse a part of a window.
        socket.set(ZMQ_SNDHWM, 10_000)
        socket.set(ZMQ_RECONNECT_IVL, 20)
        socket.set(ZMQ_RECONNECT_IVL_MAX, 1000)
        socket.set(ZMQ_IPV6, 1)
        // Left alone, the kernel asks ever more rarely where nobody answers, up to two minutes; and whoever was cut off
        // in the middle of a handshake would wait for its end for half of one.
        socket.set(ZMQ_CONNECT_TIMEOUT, 3000)
        socket.set(ZMQ_HANDSHAKE_IVL, 10_000)
        let (place, shown) = EndpointKey.split(endpoint)
        if endpoint.hasPrefix("tcp:") {
            if let key { socket.secure(asClient: key, of: shown ?? key.members) }
            // Notices a connection whose other end has vanished; answered by the peer's I/O thread, whatever its
            // user code does.
            socket.set(ZMQ_HEARTBEAT_IVL, 1000)
            socket.set(ZMQ_HEARTBEAT_TIMEOUT, 3000)
        }
        let watch = watching ? try HandshakeWatch(socket, in: self.context) : nil
        guard zmq_connect(socket.handle, place) == 0 else {
            watch?.close()
            defer { socket.close() }
            throw MeshError(
                .invalidArgument,
                "\(endpoint) is no address to connect to: \(zeroMQError()). "
                    + "Addresses look like tcp://10.0.0.7:4711 or ipc:///run/mesh/1.sock.")
        }
        let channel = ZeroMQChannel(socket, watch, in: self.channels)
        guard self.channels.add(channel) else {
            channel.close()
            throw MeshError(.shutDown, "This process has left its mesh.")
        }
        return channel
    }

    package func revoke(_ keys: Set<KeyIdentity>) { self.gatekeeper?.revoke(keys) }

    package var refusals: TransportRefusals { self.gatekeeper?.refusals ?? TransportRefusals() }

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
