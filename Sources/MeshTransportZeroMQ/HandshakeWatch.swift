import CZeroMQ
import Glibc
import MeshCore
import Synchronization

/// Notices that the other end of a connection does not let this process in. Used by one thread at a time.
final class HandshakeWatch {
    private let events: ZeroMQSocket
    private var failures = HandshakeFailures()
    private static let number = Atomic<UInt64>(0)

    init(_ socket: ZeroMQSocket, in context: ZeroMQContext) throws(MeshError) {
        let name = "inproc://handshake-\(Self.number.wrappingAdd(1, ordering: .relaxed).newValue)"
        let kinds =
            ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
            | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
        guard zmq_socket_monitor(socket.handle, name, kinds) == 0 else {
            throw MeshError(.systemFailure, "A connection cannot be watched: \(zeroMQError()).")
        }
        self.events = try ZeroMQSocket(context, type: ZMQ_PAIR)
        self.events.set(ZMQ_LINGER, 0)
        guard zmq_connect(self.events.handle, name) == 0 else {
            self.events.close()
            throw MeshError(.systemFailure, "A connection cannot be watched: \(zeroMQError()).")
        }
    }

    /// Whether it has been refused, for certain or again and again.
    func isRefused() -> Bool {
        while let event = self.events.receive(waiting: false) {
            if event.hasMore { _ = self.events.receive(waiting: true) }
            guard event.count >= 6 else { continue }
            self.failures.note(
                Int32(event.bytes.loadUnaligned(as: UInt16.self)),
                error: event.bytes.loadUnaligned(fromByteOffset: 2, as: Int32.self))
        }
        return self.failures.areRefusal
    }

    func close() { self.events.close() }
}

/// What the attempts of a connection have met with. A value.
struct HandshakeFailures {
    /// A process that ends in the middle of a handshake looks the same, but is not there for the next.
    private static let patience = 3
    private var count = 0

    /// One more attempt has failed, as an event of libzmq says.
    mutating func note(_ event: Int32, error: Int32) {
        // Of what is certain libzmq does not try again.
        guard event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL else { return self.count = Self.patience }
        // The time for it was over: whoever listens there is frozen or overloaded, and has refused nobody.
        if error != EAGAIN { self.count += 1 }
    }

    /// Whether the other end has refused this one, for certain or again and again.
    var areRefusal: Bool { self.count >= Self.patience }
}
