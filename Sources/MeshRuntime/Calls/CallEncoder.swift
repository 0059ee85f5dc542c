public import Distributed
import FoundationEssentials
import MeshCore
import MeshMessagePack

/// Gathers the arguments of a call, encoded as they come.
public struct CallEncoder: DistributedTargetInvocationEncoder {
    /// Arguments and results are `Codable`.
    public typealias SerializationRequirement = any Codable

    let buffer: MessagePackBuffer
    private(set) var attachments: AttachmentList?
    private(set) var genericSubstitutions: [String] = []
    private var count = 0
    private let encoder: MessagePackEncoder

    init(encoder: MessagePackEncoder) {
        self.encoder = encoder
        self.buffer = MessagePackBuffer(capacity: 64)
        // An array of 16 bits' length, patched when all arguments are there.
        var head: (UInt8, UInt8, UInt8) = (0xdc, 0, 0)
        withUnsafeBytes(of: &head) { self.buffer.append($0) }
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
        if self.attachments == nil { self.attachments = AttachmentList() }
        try self.encoder.encode(argument.value, into: self.buffer, attachments: self.attachments)
    }

    /// Nothing to note: the callee knows its result.
    public mutating func recordReturnType<R: Codable>(_ type: R.Type) throws {}

    /// Nothing to note: errors carry their own type.
    public mutating func recordErrorType<E: Error>(_ type: E.Type) throws {}

    /// Completes the arguments.
    public mutating func doneRecording() throws {
        var count = UInt16(self.count).bigEndian
        withUnsafeBytes(of: &count) { self.buffer.patch(at: 1, with: $0) }
    }
}

/// The large values of a message, which travel in frames of their own.
final class AttachmentList: MessagePackAttachmentSink {
    private(set) var items: [Data] = []

    func attach(_ data: Data) -> Int? {
        self.items.append(data)
        return self.items.count - 1
    }
}
