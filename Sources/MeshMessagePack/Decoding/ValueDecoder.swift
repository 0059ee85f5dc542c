/// The decoder handed to one value's `init(from:)`.
final class ValueDecoder: Decoder {
    let session: DecodingSession
    let position: Position
    let parent: ValueDecoder?
    let key: PathKey
    /// Kept because a class and its superclass may each ask for the container.
    private(set) var entries: MapEntries?

    init(place: DecodingPlace) {
        self.session = place.session
        self.position = place.position
        self.parent = place.parent
        self.key = place.key
    }

    deinit {
        self.entries?.deallocate()
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
        if self.entries == nil { self.entries = try MapEntries(of: self) }
        return KeyedDecodingContainer(KeyedDecoding<Key>(decoder: self))
    }

    func find(_ key: some CodingKey) -> Position? {
        let bytes = self.session.bytes
        // A container kept beyond its decoder's call has no bytes left to look at.
        guard bytes.baseAddress != nil else { return nil }
        // Asked first, because these may run anyone's code.
        var name = key.stringValue
        let number = key.intValue
        return self.entries?.find(&name, number, in: bytes)
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try UnkeyedDecoding(decoder: self)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        SingleValueDecoding(decoder: self)
    }
}
