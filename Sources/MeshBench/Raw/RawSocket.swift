import CZeroMQ

/// A libzmq socket as a C program uses one: messages of one frame, copied in and out, blocking.
///
/// `@unchecked Sendable`: one thread uses it at a time; it is handed to another only by starting that, which is a barrier.
final class RawSocket: @unchecked Sendable {
    private let context: UnsafeMutableRawPointer
    private let handle: UnsafeMutableRawPointer
    private let buffer: UnsafeMutableRawPointer
    private static let capacity = 1 << 20

    init(_ type: Int32, highWaterMark: Int32 = 10_000) throws {
        guard let context = zmq_ctx_new() else { throw BenchError("libzmq gives no context") }
        guard let handle = zmq_socket(context, type) else {
            zmq_ctx_term(context)
            throw BenchError("libzmq gives no socket")
        }
        self.context = context
        self.handle = handle
        self.buffer = .allocate(byteCount: Self.capacity, alignment: 16)
        self.buffer.initializeMemory(as: UInt8.self, repeating: 7, count: Self.capacity)
        self.set(ZMQ_LINGER, 0)
        self.set(ZMQ_SNDHWM, highWaterMark)
        self.set(ZMQ_RCVHWM, highWaterMark)
        self.set(ZMQ_RECONNECT_IVL, 5)
    }

    deinit {
        zmq_close(self.handle)
        zmq_ctx_term(self.context)
        self.buffer.deallocate()
    }

    private func set(_ option: Int32, _ value: Int32) {
        var value = value
        zmq_setsockopt(self.handle, option, &value, MemoryLayout<Int32>.size)
    }

    /// Returns the endpoint with what the system has chosen.
    func bind(_ endpoint: String) throws -> String {
        guard zmq_bind(self.handle, endpoint) == 0 else { throw Self.failure("bind \(endpoint)") }
        var text = [CChar](repeating: 0, count: 256)
        var size = text.count
        guard zmq_getsockopt(self.handle, ZMQ_LAST_ENDPOINT, &text, &size) == 0 else { throw Self.failure("bind") }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func connect(_ endpoint: String) throws {
        guard zmq_connect(self.handle, endpoint) == 0 else { throw Self.failure("connect to \(endpoint)") }
    }

    private static func failure(_ what: String) -> BenchError {
        BenchError("libzmq cannot \(what): \(String(cString: zmq_strerror(zmq_errno())))")
    }

    /// Sends a message of so many bytes.
    @inline(__always) func send(_ count: Int) throws {
        guard zmq_send(self.handle, self.buffer, count, 0) >= 0 else { throw Self.failure("send") }
    }

    /// Receives a message. Returns its size.
    @inline(__always) @discardableResult func receive() throws -> Int {
        let count = zmq_recv(self.handle, self.buffer, Self.capacity, 0)
        guard count >= 0 else { throw Self.failure("receive") }
        return Int(count)
    }

    /// Sends so many bytes of memory without a copy. They must have come back before they are sent again.
    func sendInPlace(_ count: Int) throws {
        var message = zmq_msg_t()
        zmq_msg_init_data(&message, self.buffer, min(count, Self.capacity), { _, _ in }, nil)
        guard zmq_msg_send(&message, self.handle, 0) >= 0 else {
            zmq_msg_close(&message)
            throw Self.failure("send")
        }
    }

    /// Receives a message where libzmq has put it. Returns its size.
    func receiveInPlace() throws -> Int {
        var message = zmq_msg_t()
        zmq_msg_init(&message)
        defer { zmq_msg_close(&message) }
        guard zmq_msg_recv(&message, self.handle, 0) >= 0 else { throw Self.failure("receive") }
        return zmq_msg_size(&message)
    }

    /// Sends each message back to where it came from, for ever.
    func echo() throws {
        var frame = zmq_msg_t()
        zmq_msg_init(&frame)
        while true {
            guard zmq_msg_recv(&frame, self.handle, 0) >= 0 else { throw Self.failure("receive") }
            let more = zmq_msg_more(&frame) != 0 ? ZMQ_SNDMORE : 0
            guard zmq_msg_send(&frame, self.handle, more) >= 0 else { throw Self.failure("send") }
        }
    }

    /// Takes messages in and answers only those of one byte, for ever.
    func swallow() throws {
        var sender = zmq_msg_t()
        var frame = zmq_msg_t()
        zmq_msg_init(&sender)
        zmq_msg_init(&frame)
        while true {
            guard zmq_msg_recv(&sender, self.handle, 0) >= 0, zmq_msg_recv(&frame, self.handle, 0) >= 0 else {
                throw Self.failure("receive")
            }
            guard zmq_msg_size(&frame) == 1 else { continue }
            guard zmq_msg_send(&sender, self.handle, ZMQ_SNDMORE) >= 0, zmq_msg_send(&frame, self.handle, 0) >= 0
            else { throw Self.failure("send") }
        }
    }
}
