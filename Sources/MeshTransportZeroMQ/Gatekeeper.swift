import CMeshPlatform
import CZeroMQ
import Glibc
import MeshCore
import MeshSecurity
import Synchronization

/// Decides who may connect to this process: it answers libzmq's questions about keys (ZAP, RFC 27 of ZeroMQ) and keeps
/// the connections few that have not shown one. A thread of its own, which ends with the context.
///
/// `@unchecked Sendable`: its sockets are used by its thread alone once that has started.
final class Gatekeeper: @unchecked Sendable {
    private let key: MeshKey?
    private let questions: ZeroMQSocket?
    private let monitor: ZeroMQSocket
    private let revoked: Mutex<Set<KeyIdentity>> = Mutex([])
    private var gate: ConnectionGate
    /// The ports at which this process takes connections.
    private let ports: Mutex<Set<UInt16>> = Mutex([])
    private let cut = Atomic<UInt64>(0)
    private let refused = Atomic<UInt64>(0)
    /// From where those came that were kept out lately.
    private let hosts = Mutex<[String]>([])

    private static let monitorName = "inproc://gate"

    /// Made before `inbound` is bound, so that no connection is missed.
    init(
        _ context: ZeroMQContext, inbound: ZeroMQSocket, key: MeshKey?, limits: ConnectionGate.Limits
    ) throws(MeshError) {
        self.key = key
        self.gate = ConnectionGate(limits)
        if key == nil {
            self.questions = nil
        } else {
            let questions = try ZeroMQSocket(context, type: ZMQ_REP)
            questions.set(ZMQ_LINGER, 0)
            guard zmq_bind(questions.handle, "inproc://zeromq.zap.01") == 0 else {
                throw MeshError(.systemFailure, "Keys cannot be checked: \(zeroMQError()).")
            }
            self.questions = questions
        }
        let events =
            ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
        guard zmq_socket_monitor(inbound.handle, Self.monitorName, events) == 0 else {
            throw MeshError(.systemFailure, "Connections cannot be watched: \(zeroMQError()).")
        }
        self.monitor = try ZeroMQSocket(context, type: ZMQ_PAIR)
        self.monitor.set(ZMQ_LINGER, 0)
        // libzmq's own thread must never wait for this one.
        self.monitor.set(ZMQ_RCVHWM, 0)
        guard zmq_connect(self.monitor.handle, Self.monitorName) == 0 else {
            throw MeshError(.systemFailure, "Connections cannot be watched: \(zeroMQError()).")
        }
    }

    var refusals: TransportRefusals {
        var refusals = TransportRefusals(
            connectionsCut: self.cut.load(ordering: .relaxed), keysRefused: self.refused.load(ordering: .relaxed))
        refusals.hosts = self.hosts.withLock { $0 }
        return refusals
    }

    private func noteHost(_ host: String) {
        self.hosts.withLock { hosts in
            hosts.removeAll { $0 == host }
            hosts.append(host)
            if hosts.count > 10 { hosts.removeFirst() }
        }
    }

    func takes(connectionsAt endpoint: String) {
        guard let colon = endpoint.lastIndex(of: ":"), let port = UInt16(endpoint[endpoint.index(after: colon)...])
        else {
            return
        }
        self.ports.withLock { _ = $0.insert(port) }
    }

    /// From now on nobody gets in with those keys.
    func revoke(_ keys: Set<KeyIdentity>) { self.revoked.withLock { $0 = keys } }

    func isRevoked(_ key: KeyIdentity) -> Bool { self.revoked.withLock { $0.contains(key) } }

    // MARK: Its thread

    func start() {
        startThread(named: "mesh-gate") { self.run() }
    }

    private func run() {
        var items = [zmq_pollitem_t(socket: self.monitor.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)]
        if let questions {
            items.append(zmq_pollitem_t(socket: questions.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0))
        }
        while true {
            let count = zmq_poll(&items, Int32(items.count), -1)
            if count < 0 {
                if zmq_errno() == EINTR { continue }
                break
            }
            if items[0].revents != 0 { self.readEvent() }
            if items.count > 1, items[1].revents != 0 { self.answer() }
        }
        // The context waits for them.
        self.monitor.close()
        self.questions?.close()
    }

    // MARK: Keys

    private func answer() {
        guard let questions else { return }
        var frames: [ZeroMQFrame] = []
        repeat {
            guard let frame = questions.receive(waiting: true) else { return }
            frames.append(frame)
        } while frames.last?.hasMore == true
        // Version, request, domain, address, identity, mechanism, and for CURVE one of 32 bytes.
        guard frames.count > 1 else { return }
        let identity = frames.count == 7 ? self.judge(address: frames[3], mechanism: frames[5], key: frames[6]) : nil
        if identity == nil {
            self.refused.wrappingAdd(1, ordering: .relaxed)
            if frames.count > 3 { self.noteHost(Self.plain(String(decoding: frames[3].bytes, as: UTF8.self))) }
        }
        let answer: [[UInt8]] = [
            Array("1.0".utf8), Array(frames[1].bytes), Array((identity == nil ? "400" : "200").utf8),
            Array((identity == nil ? "no key of this mesh" : "OK").utf8), Array((identity?.description ?? "").utf8), [],
        ]
        for (index, frame) in answer.enumerated() {
            _ = zmq_send(questions.handle, frame, frame.count, index < answer.count - 1 ? ZMQ_SNDMORE : 0)
        }
    }

    private func judge(address: ZeroMQFrame, mechanism: ZeroMQFrame, key: ZeroMQFrame) -> KeyIdentity? {
        guard mechanism.bytes.elementsEqual("CURVE".utf8), let shown = PublicKey(key.bytes),
            let identity = self.key?.owner(of: shown), !self.isRevoked(identity)
        else { return nil }
        self.gate.admitted(Self.plain(String(decoding: address.bytes, as: UTF8.self)))
        return identity
    }

    // MARK: Connections

    private func readEvent() {
        guard let event = self.monitor.receive(waiting: false) else { return }
        if event.hasMore { _ = self.monitor.receive(waiting: true) }
        guard event.count >= 6 else { return }
        let kind = event.bytes.loadUnaligned(as: UInt16.self)
        let descriptor = event.bytes.loadUnaligned(fromByteOffset: 2, as: Int32.self)
        if Int32(kind) == ZMQ_EVENT_ACCEPTED {
            guard let host = self.host(of: descriptor) else { return }
            let excess = self.gate.accepted(descriptor, from: host, at: cmesh_monotonic_nanoseconds())
            // libzmq closes it when it sees the end. The number may be another connection's by now; then that one is
            // made again by whoever made it.
            for descriptor in excess where self.host(of: descriptor) != nil {
                shutdown(descriptor, Int32(SHUT_RDWR))
                self.cut.wrappingAdd(1, ordering: .relaxed)
            }
            if !excess.isEmpty { self.noteHost(host) }
        } else if Int32(kind) == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL {
            // Garbage, another mechanism, or a box that another key was needed for.
            self.refused.wrappingAdd(1, ordering: .relaxed)
        } else {
            self.gate.closed(descriptor)
        }
    }

    /// From where a connection to this process comes; nil when the descriptor is none (any more), or a local one.
    private func host(of descriptor: Int32) -> String? {
        guard let own = Self.name(of: descriptor, getsockname), let peer = Self.name(of: descriptor, getpeername),
            self.ports.withLock({ $0.contains(own.port) })
        else { return nil }
        return peer.host
    }

    private typealias Naming = (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32

    private static func name(of descriptor: Int32, _ naming: Naming) -> (host: String, port: UInt16)? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: 64)
        var port = [CChar](repeating: 0, count: 8)
        let isKnown = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                naming(descriptor, address, &size) == 0 && address.pointee.sa_family != sa_family_t(AF_UNIX)
                    && getnameinfo(
                        address, size, &host, socklen_t(host.count), &port, socklen_t(port.count),
                        NI_NUMERICHOST | NI_NUMERICSERV) == 0
            }
        }
        guard isKnown, let number = UInt16(Self.text(port)) else { return nil }
        return (Self.plain(Self.text(host)), number)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The same address, whether it came through a socket for IPv4 or for both.
    private static func plain(_ host: String) -> String {
        host.hasPrefix("::ffff:") ? String(host.dropFirst("::ffff:".count)) : host
    }
}
