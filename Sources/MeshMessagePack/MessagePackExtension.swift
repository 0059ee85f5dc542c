public import FoundationEssentials

/// A value of an extension type: a number that says what the bytes mean, and the bytes.
///
/// Types 0 to 127 belong to applications; this library's own are listed in <doc:MessagePack>. Negative types belong to
/// the format. With another encoder than this library's it is a keyed container of `type` and `data`.
public struct MessagePackExtension: Hashable, Sendable {
    /// What the bytes mean.
    public var type: Int8
    /// The bytes, uninterpreted.
    public var data: Data

    /// Creates an extension value.
    public init(type: Int8, data: Data) {
        self.type = type
        self.data = data
    }
}

extension MessagePackExtension: Codable {
    private enum CodingKeys: String, CodingKey { case type, data }

    /// Reads the two parts from a decoder of another format; this library's own reads the extension itself.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.type = try container.decode(Int8.self, forKey: .type)
        self.data = try container.decode(Data.self, forKey: .data)
    }

    /// Writes the two parts to an encoder of another format; this library's own writes the extension itself.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.type, forKey: .type)
        try container.encode(self.data, forKey: .data)
    }
}

extension MessagePackExtension: NativelyEncodable, NativelyDecodable {
    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        let value = self.load(value)
        let isWritten = value.data.withUnsafeBytes { place.buffer.packExtension(type: value.type, $0) }
        guard isWritten else { throw place.tooLarge(value.data.count) }
    }

    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        let head = try place.scalar(Self.self) { head throws(Flaw) in head }
        guard head.kind == .ext else {
            throw Flaw.mismatch(found: head.kind).error(expected: Self.self, path: place.codingPath)
        }
        self.store(Self(type: head.extensionType, data: Data(place.session.body(of: head))), result)
    }
}
