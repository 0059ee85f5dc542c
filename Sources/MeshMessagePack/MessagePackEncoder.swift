public import FoundationEssentials

/// Writes `Encodable` values as MessagePack.
///
/// Every type has one documented form, listed in <doc:MessagePack>, chosen so that a plain MessagePack library in
/// another language can read it. Numbers, strings, arrays and maps take the shortest form that holds them.
///
/// The encoder is a value without state: one may be shared by any number of threads.
public struct MessagePackEncoder: Sendable {
    /// Values that `encode(to:)` implementations find in `encoder.userInfo`.
    public var userInfo: [CodingUserInfoKey: any Sendable]

    /// Creates an encoder with an empty `userInfo`.
    public init() {
        self.userInfo = [:]
    }

    package init(userInfo: [CodingUserInfoKey: any Sendable]) {
        self.userInfo = userInfo
    }

    /// Returns the MessagePack form of a value.
    ///
    /// - Throws: `EncodingError` when the value has no MessagePack form (a date that is not finite, a string, array or
    ///   byte string past 2³² - 1) or when a top-level value encodes nothing; and whatever the value's own
    ///   `encode(to:)` throws.
    public func encode<T: Encodable>(_ value: T) throws -> Data {
        let buffer = MessagePackBuffer()
        try self.encode(value, into: buffer)
        return buffer.takeData()
    }

    /// Appends the MessagePack form of a value to a buffer; after an error the buffer is as it was.
    ///
    /// Scalars and strings go straight into the buffer, without a container, a box or an allocation.
    /// - Parameter sink: asked to carry large bytes and number arrays outside the buffer.
    package func encode<T: Encodable>(
        _ value: T,
        into buffer: MessagePackBuffer,
        attachments sink: (any MessagePackAttachmentSink)? = nil
    ) throws {
        // Comparing metatypes is a pointer comparison, and none at all where the call is specialised.
        if T.self == Int.self { return buffer.pack(Int64(unsafeBitCast(value, to: Int.self))) }
        if T.self == Double.self { return buffer.pack(unsafeBitCast(value, to: Double.self)) }
        if T.self == Bool.self { return buffer.pack(unsafeBitCast(value, to: Bool.self)) }
        if T.self == String.self, buffer.pack(unsafeBitCast(value, to: String.self)) { return }
        if MemoryLayout<T>.size <= 8, Self.packScalar(value, into: buffer) { return }

        let start = buffer.count
        let session = EncodingSession(buffer: buffer, userInfo: self.userInfo, sink: sink)
        defer { session.finish() }
        do {
            let place = EncodingPlace(session: session, buffer: buffer, parent: nil, key: .none)
            try place.write(value)
        } catch {
            buffer.truncate(to: start)
            throw error
        }
    }

    /// The sink of the running encode, for values that have something to say to it in their `encode(to:)`; nil when there
    /// is none, or the encoder is of another kind.
    package static func sink(of encoder: any Encoder) -> (any MessagePackAttachmentSink)? {
        (encoder as? EncodingNode)?.session.sink
    }

    /// The less common numbers; returns `false` for any other type.
    private static func packScalar<T>(_ value: T, into buffer: MessagePackBuffer) -> Bool {
        if T.self == Int64.self {
            buffer.pack(unsafeBitCast(value, to: Int64.self))
        } else if T.self == Int32.self {
            buffer.pack(Int64(unsafeBitCast(value, to: Int32.self)))
        } else if T.self == UInt.self || T.self == UInt64.self {
            buffer.pack(unsafeBitCast(value, to: UInt64.self))
        } else if T.self == UInt32.self {
            buffer.pack(UInt64(unsafeBitCast(value, to: UInt32.self)))
        } else if T.self == UInt8.self {
            buffer.pack(UInt64(unsafeBitCast(value, to: UInt8.self)))
        } else if T.self == Float.self {
            buffer.pack(unsafeBitCast(value, to: Float.self))
        } else {
            return false
        }
        return true
    }
}

/// Carries large binary values beside a message instead of inside it.
///
/// The encoder offers every byte string and number array of at least ``MessagePackFormat/attachmentThreshold`` bytes.
package protocol MessagePackAttachmentSink: AnyObject {
    /// Takes the bytes and returns their index among the message's attachments, or `nil` to have them written inline.
    func attach(_ data: Data) -> Int?
}
