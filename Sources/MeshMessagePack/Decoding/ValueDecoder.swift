/// The decoder handed to one value's `init(from:)`.
final class ValueDecoder: Decoder {
    let session: DecodingSession
    let position: Position
    let parent: ValueDecoder?
    let key: PathKey
    /// Kept because a class and its superclass may each ask for the container.
    private var entries: MapEntries?

    init(place: DecodingPlace) {
        self.session = place.session
        self.position = place.position
        self.parent = place.parent
        self.key = place.key
    }

    var codingPath: [any CodingKey] {
        var path: [any CodingKey] = []
        var decoder: ValueDecoder? = self
        while let current = decoder {
            if let key = current.key.codingKey { path.append(key) }
            decoder = current.parent
        }
        path.reverse()
        return path
    }

    var userInfo: [CodingUserInfoKey: Any] { self.session.userInfo }

    func place(_ position: Position, _ key: PathKey) -> DecodingPlace {
        DecodingPlace(session: self.session, position: position, parent: self, key: key)
    }

    /// Turns a reader's complaint about a value inside this one into an error with its path.
    func failure(_ flaw: Flaw, expected: Any.Type, _ key: (any CodingKey)? = nil) -> DecodingError {
        flaw.error(expected: expected, path: self.codingPath + (key.map { [$0] } ?? []))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        if let entries = self.entries { return KeyedDecodingContainer(KeyedDecoding<Key>(decoder: self, entries)) }
        let entries = try MapEntries(of: self)
        self.entries = entries
        return KeyedDecodingContainer(KeyedDecoding<Key>(decoder: self, entries))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try UnkeyedDecoding(decoder: self)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        SingleValueDecoding(decoder: self)
    }
}
