internal import FoundationEssentials

/// A URL is a string, as with `JSONEncoder`; its own conformance would write a map for the sake of base URLs.
extension URL: NativelyEncodable, NativelyDecodable {
    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        try place.write(self.load(value).absoluteString)
    }

    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        let string = try place.read(String.self)
        guard let url = URL(string: string) else { throw place.corrupted("The string is not a URL.") }
        self.store(url, result)
    }
}
