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
}

/// Carries large binary values beside a message instead of inside it.
///
/// The encoder offers every byte string and number array of at least ``MessagePackFormat/attachmentThreshold`` bytes.
package protocol MessagePackAttachmentSink: AnyObject {
    /// Takes the bytes and returns their index among the message's attachments, or `nil` to have them written inline.
    func attach(_ data: Data) -> Int?
}
