import CZeroMQ
import FoundationEssentials
import Glibc
import MeshCore
import MeshSecurity

/// libzmq's words for the last error.
func zeroMQError() -> String { String(cString: zmq_strerror(zmq_errno())) }

/// A libzmq context, with one I/O thread.
///
/// `@unchecked Sendable`: libzmq's contexts may be used from any thread.
final class ZeroMQContext: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer

    init() throws(MeshError) {
        guard let handle = zmq_ctx_new() else {
            throw MeshError(.systemFailure, "libzmq gives no context: \(zeroMQError()).")
        }
        zmq_ctx_set(handle, ZMQ_MAX_SOCKETS, 16_384)
        self.handle = handle
    }

    /// Waits until what the sockets still hold is sent or their linger time is over.
    func close() { zmq_ctx_term(self.handle) }
}

/// A libzmq socket.
///
/// `@unchecked Sendable`: a socket may move between threads behind a full fence; its users take turns under a lock or
/// as the executor's leader.
final class ZeroMQSocket: @unchecked Sendable {
    private(set) var handle: UnsafeMutableRawPointer?

    init(_ context: ZeroMQContext, type: Int32) throws(MeshError) {
        guard let handle = zmq_socket(context.handle, type) else {
            throw MeshError(.systemFailure, "libzmq gives no socket: \(zeroMQError()).")
        }
        self.handle = handle
    }

    func close() {
        guard let handle else { return }
        zmq_close(handle)
        self.handle = nil
    }

    func set(_ option: Int32, _ value: Int32) {
        var value = value
        zmq_setsockopt(self.handle, option, &value, MemoryLayout<Int32>.size)
    }

    func set(_ option: Int32, long value: Int64) {
        var value = value
        zmq_setsockopt(self.handle, option, &value, MemoryLayout<Int64>.size)
    }

    /// Lets in only who knows the public key and shows one that the gatekeeper knows.
    func secure(asServer key: MeshKey) {
        self.set(ZMQ_CURVE_SERVER, 1)
        self.set(ZMQ_CURVE_SECRETKEY, key.pair.secret)
        self.set(ZMQ_ZAP_DOMAIN, bytes: Array("mesh".utf8))
    }

    /// Shows a key, and talks only to who has the secret of the other.
    func secure(asClient key: MeshKey, of server: PublicKey) {
        self.set(ZMQ_CURVE_SERVERKEY, bytes: server.bytes)
        self.set(ZMQ_CURVE_PUBLICKEY, bytes: key.pair.publicKey.bytes)
        self.set(ZMQ_CURVE_SECRETKEY, key.pair.secret)
    }

    private func set(_ option: Int32, bytes: [UInt8]) {
        _ = bytes.withUnsafeBytes { zmq_setsockopt(self.handle, option, $0.baseAddress, $0.count) }
    }

    private func set(_ option: Int32, _ secret: Secret) {
        _ = secret.withBytes { zmq_setsockopt(self.handle, option, $0, Secret.count) }
    }

    func text(_ option: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 512)
        var size = buffer.count
        guard zmq_getsockopt(self.handle, option, &buffer, &size) == 0 else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func receive(waiting: Bool) -> ZeroMQFrame? {
        let frame = ZeroMQFrame()
        while zmq_msg_recv(frame.message, self.handle, waiting ? 0 : ZMQ_DONTWAIT) < 0 {
            guard zmq_errno() == EINTR else { return nil }
        }
        return frame
    }

    /// Sends the buffer itself, which libzmq releases when it is done. Returns false when the queue is full.
    func send(_ buffer: WireBuffer, more: Bool) -> Bool {
        var message = zmq_msg_t()
        let owner = Unmanaged.passRetained(buffer)
        let release: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void = { _, owner in
            if let owner { Unmanaged<WireBuffer>.fromOpaque(owner).release() }
        }
        zmq_msg_init_data(&message, buffer.base, buffer.count, release, owner.toOpaque())
        if zmq_msg_send(&message, self.handle, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0 { return true }
        zmq_msg_close(&message)
        return false
    }

    /// Sends the memory of a `Data` without a copy.
    func send(_ data: Data, more: Bool) {
        var message = zmq_msg_t()
        if data.count < 1024 {
            // Small values of `Data` live on the stack, where libzmq must not look for them later.
            zmq_msg_init_size(&message, data.count)
            data.withUnsafeBytes { bytes in
                if let start = bytes.baseAddress {
                    zmq_msg_data(&message)?.copyMemory(from: start, byteCount: bytes.count)
                }
            }
            if zmq_msg_send(&message, self.handle, more ? ZMQ_SNDMORE : 0) < 0 { zmq_msg_close(&message) }
            return
        }
        // The box keeps the storage, which is not written to while somebody else shares it.
        let owner = Unmanaged.passRetained(DataBox(data))
        let release: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void = { _, owner in
            if let owner { Unmanaged<DataBox>.fromOpaque(owner).release() }
        }
        owner.takeUnretainedValue().data.withUnsafeBytes { bytes in
            _ = zmq_msg_init_data(
                &message, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, release, owner.toOpaque())
        }
        if zmq_msg_send(&message, self.handle, more ? ZMQ_SNDMORE : 0) < 0 { zmq_msg_close(&message) }
    }
}

private final class DataBox {
    let data: Data
    init(_ data: Data) { self.data = data }
}

/// A frame that was received; libzmq owns its bytes.
///
/// `@unchecked Sendable`: written once while it is received.
final class ZeroMQFrame: @unchecked Sendable {
    let message: UnsafeMutablePointer<zmq_msg_t>

    init() {
        self.message = .allocate(capacity: 1)
        zmq_msg_init(self.message)
    }

    deinit {
        zmq_msg_close(self.message)
        self.message.deallocate()
    }

    var count: Int { zmq_msg_size(self.message) }
    var hasMore: Bool { zmq_msg_more(self.message) != 0 }
    /// The key by which its connection got in; nil for one that needs none, within this host.
    var key: KeyIdentity? {
        guard let text = zmq_msg_gets(self.message, "User-Id") else { return nil }
        // Nearly all are members', and each message is asked.
        if strcmp(text, "member") == 0 { return .member }
        return KeyIdentity(String(cString: text))
    }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: zmq_msg_data(self.message), count: self.count) }

    /// The frame as `Data` that shares its memory.
    func data() -> Data {
        guard let base = zmq_msg_data(self.message), self.count > 0 else { return Data() }
        return Data(
            bytesNoCopy: base, count: self.count, deallocator: .custom { _, _ in withExtendedLifetime(self) {} })
    }
}
