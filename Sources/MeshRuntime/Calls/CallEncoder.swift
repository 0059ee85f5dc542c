public import Distributed
import FoundationEssentials
import MeshCore
import MeshMessagePack
import Synchronization

/// Gathers the arguments of a call, encoded as they come.
public struct CallEncoder: DistributedTargetInvocationEncoder {
    /// Arguments and results are `Codable`.
    public typealias SerializationRequirement = any Codable

    let buffer: CallBuffer
    package var genericSubstitutions: [String] = []
    private var count = 0
    private let encoder: MessagePackEncoder

    /// - Parameter buffer: where the arguments go; it must be empty.
    init(encoder: MessagePackEncoder, buffer: CallBuffer) {
        self.encoder = encoder
        self.buffer = buffer
        // An array of 16 bits' length, patched when all arguments are there.
        var head: (UInt8, UInt8, UInt8) = (0xdc, 0, 0)
        withUnsafeBytes(of: &head) { buffer.bytes.append($0) }
    }

    /// Notes a type parameter by its mangled name.
    public mutating func recordGenericSubstitution<T>(_ type: T.Type) throws {
        guard let name = _mangledTypeName(type) else {
            throw MeshError(.invalidArgument, "The type \(type) has no name that another process could find it by.")
        }
        self.genericSubstitutions.append(name)
    }

    /// Encodes an argument.
    public mutating func recordArgument<Value: Codable>(_ argument: RemoteCallArgument<Value>) throws {
        self.count += 1
        try self.encoder.encode(argument.value, into: self.buffer.bytes, attachments: self.buffer)
    }

    /// Nothing to note: the callee knows its result.
    public mutating func recordReturnType<R: Codable>(_ type: R.Type) throws {}

    /// Nothing to note: errors carry their own type.
    public mutating func recordErrorType<E: Error>(_ type: E.Type) throws {}

    /// Completes the arguments.
    public mutating func doneRecording() throws {
        var count = UInt16(self.count).bigEndian
        withUnsafeBytes(of: &count) { self.buffer.bytes.patch(at: 1, with: $0) }
    }
}

/// Encoded values, with the large ones beside them, which travel in frames of their own, and the holds on the actors
/// whose handles are in them. Used again and again.
final class CallBuffer: HandleSink {
    let bytes = MessagePackBuffer(capacity: 128)
    private(set) var attachments: [Data] = []
    private var noted = LeaseSet()
    /// The actors for which the receiver is counted already. A message with some names no others.
    private(set) var granted: [UniqueID] = []
    private(set) var carriesHandles = false

    func attach(_ data: Data) -> Int? {
        self.attachments.append(data)
        return self.attachments.count - 1
    }

    /// One for each actor whose counted handle is among the values.
    var leases: [HandleLease] { self.noted.leases }

    func note(_ lease: HandleLease) {
        self.carriesHandles = true
        self.noted.insert(lease)
    }

    func noteGranted(_ actor: UniqueID) {
        self.carriesHandles = true
        self.granted.append(actor)
    }

    /// Makes it as new. What grew large is given back.
    func clear() {
        self.bytes.removeAll(keepingCapacity: self.bytes.count <= 64 << 10)
        if !self.attachments.isEmpty { self.attachments = [] }
        if self.carriesHandles { (self.noted, self.granted, self.carriesHandles) = (LeaseSet(), [], false) }
    }
}

/// Buffers that wait for their next call.
final class CallBufferPool: Sendable {
    // The buffers are not sendable by themselves: one that is in the pool has no other owner.
    private struct Idle: @unchecked Sendable { var buffers: [CallBuffer] = [] }
    private let idle = Mutex(Idle())
    private static let capacity = 64

    func take() -> CallBuffer { self.idle.withLock { $0.buffers.popLast() } ?? CallBuffer() }

    /// Takes back a buffer that nobody else has.
    func give(_ buffer: CallBuffer) {
        buffer.clear()
        let box = Idle(buffers: [buffer])
        self.idle.withLock { if $0.buffers.count < Self.capacity { $0.buffers += box.buffers } }
    }
}
