extension Dictionary: NativelyEncodable where Key: Encodable, Value: Encodable {
    /// As a map whatever the keys are, where Swift's own conformance writes an array for most.
    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        let dictionary = self.load(value)
        guard dictionary.count <= Int(UInt32.max) else { throw place.tooLarge(dictionary.count) }
        place.buffer.packMapHeader(dictionary.count)
        if dictionary.isEmpty { return }
        let node = EncodingNode(place: place)
        let style = DictionaryKeyStyle(Key.self)
        for (key, value) in dictionary {
            try style.write(key, to: node)
            try node.place(.value(key)).write(value)
        }
    }
}

extension Dictionary: NativelyDecodable where Key: Decodable, Value: Decodable {
    /// From a map, or from the array of alternating keys and values that Swift's own conformance writes.
    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        let head = try place.scalar(Self.self) { head throws(Flaw) in head }
        guard head.kind == .map || (head.kind == .array && head.bits.isMultiple(of: 2)) else {
            throw Flaw.mismatch(found: head.kind).error(expected: Self.self, path: place.codingPath)
        }
        let count = Int(head.bits) / (head.kind == .map ? 1 : 2)
        let node = ValueDecoder(place: place)
        let style = DictionaryKeyStyle(Key.self)
        // As for arrays: the count is bounded by the input, and room for it is taken where that is a small multiple.
        let stride = MemoryLayout<Key>.stride + MemoryLayout<Value>.stride
        var dictionary = Self(minimumCapacity: stride <= 64 ? count : 0)
        var place = node.place(Position(offset: head.body, container: place.position.container + 1), .none)
        for _ in 0..<count {
            place.key = .written(place.session, offset: place.position.offset)
            let key: Key = try style.read(at: place)
            try place.stepOver(Key.self)
            let value = try place.read(Value.self)
            try place.stepOver(Value.self)
            guard dictionary.updateValue(value, forKey: key) == nil else {
                throw place.corrupted("A map has this key twice.")
            }
        }
        self.store(dictionary, result)
    }
}

/// How a dictionary's keys are written: a type that says so itself as its coding key, any other as the value it is.
private struct DictionaryKeyStyle {
    private let representable: (any CodingKeyRepresentable.Type)?

    init(_ type: Any.Type) {
        // These two are also representable, but are what they are without the detour.
        let isPlain = type == String.self || type == Int.self
        self.representable = isPlain ? nil : type as? any CodingKeyRepresentable.Type
    }

    func write(_ key: some Encodable, to node: EncodingNode) throws {
        if self.representable != nil, let key = key as? any CodingKeyRepresentable {
            EncodedKey(key.codingKey).pack(into: node.buffer)
        } else {
            try node.place(.value(key)).write(key)
        }
    }

    func read<Key: Decodable>(at place: DecodingPlace) throws -> Key {
        guard let representable = self.representable else { return try place.read(Key.self) }
        let head = try place.scalar(Key.self) { head throws(Flaw) in head }
        let name = PathIndex(describing: head, in: place.session.bytes)
        if head.kind == .string || head.kind.isInteger, let key = representable.init(codingKey: name) as? Key {
            return key
        }
        throw place.corrupted("The key cannot be a \(Key.self).")
    }
}
