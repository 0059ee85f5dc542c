internal import FoundationEssentials

extension Data: NativelyEncodable {
    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        let data = self.load(value)
        try data.withUnsafeBytes { bytes in
            try place.writeBinary(bytes) { data }
        }
    }
}

extension Data: NativelyDecodable {
    /// Bytes from which `Data` refers to the message's memory, if that has an owner, instead of copying it.
    private static let sharingThreshold = 4096

    /// From `bin`, from an attachment, or from `str` as older encoders wrote bytes.
    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        let head = try place.scalar(Self.self) { head throws(Flaw) in head }
        switch head.kind {
        case .binary, .string:
            let body = place.session.body(of: head)
            guard let base = body.baseAddress, body.count > 0 else { return self.store(Data(), result) }
            guard let owner = place.session.owner, body.count >= self.sharingThreshold else {
                return self.store(Data(body), result)
            }
            let shared = Data(
                bytesNoCopy: UnsafeMutableRawPointer(mutating: base),
                count: body.count,
                deallocator: .custom { _, _ in withExtendedLifetime(owner) {} }
            )
            self.store(shared, result)
        case .ext where head.extensionType == MessagePackFormat.attachmentType:
            self.store(try place.attachment(head, code: nil, expected: Self.self), result)
        case .array:
            self.store(Data(try place.readElements(of: UInt8.self, head)), result)
        default:
            throw Flaw.mismatch(found: head.kind).error(expected: Self.self, path: place.codingPath)
        }
    }
}

extension DecodingPlace {
    /// The attachment that an extension value refers to.
    func attachment(_ head: Head, code: NumericElementCode?, expected: Any.Type) throws -> Data {
        let body = self.session.body(of: head)
        do throws(Flaw) {
            let index = try Head(body, at: 0)
            let number = try index.integer(as: Int.self)
            guard self.session.attachments.indices.contains(number) else {
                throw Flaw.invalid("The message has no attachment \(number).")
            }
            var end = index.end
            if let code {
                let announced = try Head(body, at: end)
                guard try announced.integer(as: UInt8.self) == code.rawValue else {
                    throw Flaw.invalid("The attachment \(number) holds numbers of another type.")
                }
                end = announced.end
            }
            guard end == body.count else { throw Flaw.invalid("The attachment \(number) is of another kind.") }
            return self.session.attachments[number]
        } catch {
            throw error.error(expected: expected, path: self.codingPath)
        }
    }
}
