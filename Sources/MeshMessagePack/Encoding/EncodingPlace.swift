internal import FoundationEssentials

/// What one call of the encoder shares: the settings, and whoever carries large values beside the message.
final class EncodingSession {
    let buffer: MessagePackBuffer
    let sink: (any MessagePackAttachmentSink)?
    private let settings: [CodingUserInfoKey: any Sendable]

    /// Converted only when a type asks, because most do not and the conversion allocates.
    private(set) lazy var userInfo: [CodingUserInfoKey: Any] = self.settings

    /// Nodes and their parts refer to each other; this breaks the circle also when encoding ends with an error.
    private var nodesWithParts: [EncodingNode] = []
    /// Emptied buffers of parts, since an array of enums makes and finishes one for each.
    private var spareBuffers: [MessagePackBuffer] = []

    init(
        buffer: MessagePackBuffer,
        userInfo: [CodingUserInfoKey: any Sendable],
        sink: (any MessagePackAttachmentSink)?
    ) {
        self.buffer = buffer
        self.settings = userInfo
        self.sink = sink
    }

    func finish() {
        for node in self.nodesWithParts { node.dropParts() }
        self.nodesWithParts = []
    }

    func remember(_ node: EncodingNode) {
        self.nodesWithParts.append(node)
    }

    /// Nodes close in the opposite order of their opening, but for parts; those stay until the end.
    func forget(_ node: EncodingNode) {
        if self.nodesWithParts.last === node { self.nodesWithParts.removeLast() }
    }

    func takeBuffer() -> MessagePackBuffer {
        self.spareBuffers.popLast() ?? MessagePackBuffer()
    }

    /// Takes a closed part's buffer, which nobody writes to any more.
    func giveBack(_ buffer: MessagePackBuffer) {
        guard self.spareBuffers.count < 8 else { return }
        buffer.removeAll(keepingCapacity: true)
        self.spareBuffers.append(buffer)
    }
}

/// Where the next value goes, and what its coding path is.
struct EncodingPlace {
    let session: EncodingSession
    /// Not always the session's: a nested container that may still grow writes into its own until its parent closes.
    let buffer: MessagePackBuffer
    let parent: EncodingNode?
    var key: PathKey

    var codingPath: [any CodingKey] {
        (self.parent?.codingPath ?? []) + (self.key.codingKey.map { [$0] } ?? [])
    }

    /// Writes a value the fastest way its type has.
    @inline(__always)
    func write<T: Encodable>(_ value: T) throws {
        if let native = TypeTable.traits(of: T.self).pointee.encodes {
            try withUnsafePointer(to: value) { try native.write(UnsafeRawPointer($0), to: self) }
        } else {
            try self.writeThroughContainers(value)
        }
    }

    func writeThroughContainers<T: Encodable>(_ value: T) throws {
        let node = EncodingNode(place: self)
        try value.encode(to: node)
        guard self.parent != nil || node.shape != .empty else {
            throw EncodingError.invalidValue(
                value,
                .init(codingPath: self.codingPath, debugDescription: "The top-level value encoded nothing.")
            )
        }
        try node.close()
    }

    func write(_ value: String) throws {
        guard self.buffer.pack(value) else { throw self.tooLarge(value) }
    }

    /// Writes bytes as `bin`, or hands them to the attachment sink.
    func writeBinary(_ bytes: UnsafeRawBufferPointer, attachment: () -> Data) throws {
        if try self.attach(code: nil, byteCount: bytes.count, attachment) { return }
        guard self.buffer.packBinary(bytes) else { throw self.tooLarge(bytes.count) }
    }

    /// Offers a large value to the attachment sink; returns whether a reference was written in its place.
    func attach(code: NumericElementCode?, byteCount: Int, _ attachment: () -> Data) throws -> Bool {
        guard let sink = self.session.sink, byteCount >= MessagePackFormat.attachmentThreshold else { return false }
        guard let index = sink.attach(attachment()) else { return false }
        let body = MessagePackBuffer(capacity: 16)
        body.pack(UInt64(index))
        if let code { body.pack(UInt64(code.rawValue)) }
        return body.withUnsafeBytes { self.buffer.packExtension(type: MessagePackFormat.attachmentType, $0) }
    }

    func tooLarge(_ value: Any) -> EncodingError {
        .invalidValue(
            value,
            .init(codingPath: self.codingPath, debugDescription: "MessagePack sizes end at 4294967295.")
        )
    }
}
