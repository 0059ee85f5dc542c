/// The encoder handed to one value's `encode(to:)`, and the state behind the container it asks for.
///
/// Items go straight into the buffer after one reserved byte; when the node closes and its count is known, the header
/// takes its shortest form. Values encoded with `encode(_:)` are finished when the call returns and share the buffer.
/// Nested containers and super encoders may be written to at any later time, in any order, so each has a buffer of its
/// own that is inserted when the parent closes.
final class EncodingNode: Encoder {
    enum Shape { case empty, single, array, map }

    /// A nested container or super encoder that will be inserted at an offset of the buffer.
    struct Part {
        var offset: Int
        var node: EncodingNode
    }

    let session: EncodingSession
    let buffer: MessagePackBuffer
    let parent: EncodingNode?
    let key: PathKey
    private(set) var shape = Shape.empty
    private(set) var count = 0
    private var start = 0
    private var parts: [Part] = []
    private var keys = WrittenKeys()
    /// False while a value inside is being encoded into the same buffer, and after closing: a container that was kept
    /// beyond its time must not write in the middle of somebody else's bytes.
    private var isWritable = true

    init(place: EncodingPlace) {
        self.session = place.session
        self.buffer = place.buffer
        self.parent = place.parent
        self.key = place.key
    }

    private init(partOf parent: EncodingNode, key: PathKey) {
        self.session = parent.session
        self.buffer = parent.session.takeBuffer()
        self.parent = parent
        self.key = key
    }

    var codingPath: [any CodingKey] {
        var path: [any CodingKey] = []
        var node: EncodingNode? = self
        while let current = node {
            if let key = current.key.codingKey { path.append(key) }
            node = current.parent
        }
        path.reverse()
        return path
    }

    var userInfo: [CodingUserInfoKey: Any] { self.session.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        self.open(.map)
        return KeyedEncodingContainer(KeyedEncoding<Key>(node: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        self.open(.array)
        return UnkeyedEncoding(node: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        SingleValueEncoding(node: self)
    }

    /// Begins the array or map, or goes on with the one begun: a class and its superclass may share an encoder.
    private func open(_ shape: Shape) {
        // An encoder kept beyond its turn hands out containers that refuse every value.
        guard self.isWritable else { return }
        if self.shape == .empty {
            self.shape = shape
            self.start = self.buffer.count
            self.buffer.append(byte: 0)
        }
        // A second container of another kind is a mistake in the type's `encode(to:)`, not in its data.
        precondition(self.shape == shape, "encode(to:) asked for containers of two kinds at \(self.describedPath)")
    }

    private var describedPath: String {
        let path = self.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? "the top level" : path
    }

    func place(_ key: PathKey) -> EncodingPlace {
        EncodingPlace(session: self.session, buffer: self.buffer, parent: self, key: key)
    }

    @inline(__always)
    private func check(_ shape: Shape, _ value: @autoclosure () -> Any) throws {
        if !self.isWritable || self.shape != shape {
            let reason = "This container is used outside its turn, or for a second value."
            throw EncodingError.invalidValue(
                value(),
                .init(codingPath: self.codingPath, debugDescription: reason)
            )
        }
    }

    // MARK: Values

    /// Writes the value of a single-value container.
    @inline(__always)
    func writeSingle(_ value: @autoclosure () -> Any, _ write: () throws -> Void) throws {
        try self.check(.empty, value())
        let mark = self.buffer.count
        self.isWritable = false
        defer { self.isWritable = true }
        do {
            try write()
            self.shape = .single
        } catch {
            self.buffer.truncate(to: mark)
            throw error
        }
    }

    /// Writes an array's next element.
    @inline(__always)
    func writeElement(_ value: @autoclosure () -> Any, _ write: () throws -> Void) throws {
        try self.check(.array, value())
        self.settleLastPart()
        let mark = self.buffer.count
        self.isWritable = false
        defer { self.isWritable = true }
        do {
            try write()
            self.count += 1
        } catch {
            self.buffer.truncate(to: mark)
            throw error
        }
    }

    /// Writes a map's next key and value. A key written before is replaced, so that the last value stands.
    @inline(__always)
    func writeEntry(
        _ key: some CodingKey,
        _ value: @autoclosure () -> Any,
        _ write: () throws -> Void
    ) throws {
        try self.check(.map, value())
        let name = EncodedKey(key)
        if self.keys.mayContain(name) { self.removeEntry(name) }
        let mark = self.buffer.count
        self.isWritable = false
        defer { self.isWritable = true }
        do {
            name.pack(into: self.buffer)
            try write()
            self.count += 1
            self.remember(name)
        } catch {
            self.buffer.truncate(to: mark)
            throw error
        }
    }

    @inline(__always)
    func writeString(_ value: String) throws {
        if !self.buffer.pack(value) { throw self.place(.none).tooLarge(value) }
    }

    // MARK: Parts

    func makeElementPart() -> EncodingNode {
        let part = EncodingNode(partOf: self, key: .index(self.count))
        // An unusable container still has to hand something back; what is written to it goes nowhere.
        guard self.isWritable, self.shape == .array else { return part }
        self.settleLastPart()
        self.add(part)
        return part
    }

    /// - Parameter shape: of the container wanted; a container of that shape opened before under the same key is
    ///   continued, as `JSONEncoder` does. `nil` for a super encoder, which always starts afresh.
    func makeEntryPart(_ key: some CodingKey, continuing shape: Shape?) -> EncodingNode {
        let name = EncodedKey(key)
        guard self.isWritable, self.shape == .map else { return EncodingNode(partOf: self, key: .key(key)) }
        if self.keys.mayContain(name), let range = self.findEntry(name) {
            if let shape, let part = range.part, self.parts[part].node.shape == shape { return self.parts[part].node }
            self.removeEntry(name)
        }
        let part = EncodingNode(partOf: self, key: .key(key))
        name.pack(into: self.buffer)
        self.add(part)
        self.remember(name)
        return part
    }

    /// Inserts an array's last part at once when nobody else holds it, so that a long array of nested containers does
    /// not keep a buffer for each. A map's parts stay, because asking for the same key again continues them.
    private func settleLastPart() {
        guard self.shape == .array, let last = self.parts.indices.last, self.parts[last].offset == self.buffer.count,
            isKnownUniquelyReferenced(&self.parts[last].node), (try? self.parts[last].node.close()) != nil
        else { return }
        let buffer = self.parts.removeLast().node.buffer
        buffer.withUnsafeBytes { self.buffer.append($0) }
        self.session.giveBack(buffer)
    }

    private func add(_ part: EncodingNode) {
        if self.parts.isEmpty { self.session.remember(self) }
        self.parts.append(Part(offset: self.buffer.count, node: part))
        self.count += 1
    }

    /// Lets go of parts that will not be inserted any more: they refer back to their parent.
    func dropParts() {
        self.parts = []
    }

    // MARK: Closing

    /// Inserts the parts and writes the header; after this the node takes no more values.
    func close() throws {
        self.isWritable = false
        if !self.parts.isEmpty {
            for part in self.parts { try part.node.close() }
            self.buffer.insert(self.parts.map { ($0.offset, $0.node.buffer) })
            for part in self.parts { self.session.giveBack(part.node.buffer) }
            self.parts = []
            self.session.forget(self)
        }
        switch self.shape {
        case .single: return
        case .empty: self.buffer.packMapHeader(0)
        case .array: try self.writeHeader(fixed: 0x90, wide: 0xDC)
        case .map: try self.writeHeader(fixed: 0x80, wide: 0xDE)
        }
    }

    /// Fills in the reserved byte, widening it when the count does not fit. libmsgpack only appends, so the header's
    /// bytes are set here.
    private func writeHeader(fixed: UInt8, wide: UInt8) throws {
        let count = self.count
        if count <= 15 {
            withUnsafeBytes(of: fixed | UInt8(count)) { self.buffer.patch(at: self.start, with: $0) }
        } else if count <= Int(UInt16.max) {
            self.buffer.openGap(of: 2, at: self.start + 1)
            withUnsafeBytes(of: wide) { self.buffer.patch(at: self.start, with: $0) }
            withUnsafeBytes(of: UInt16(count).bigEndian) { self.buffer.patch(at: self.start + 1, with: $0) }
        } else if count <= Int(UInt32.max) {
            self.buffer.openGap(of: 4, at: self.start + 1)
            withUnsafeBytes(of: wide + 1) { self.buffer.patch(at: self.start, with: $0) }
            withUnsafeBytes(of: UInt32(count).bigEndian) { self.buffer.patch(at: self.start + 1, with: $0) }
        } else {
            throw EncodingError.invalidValue(
                count,
                .init(codingPath: self.codingPath, debugDescription: "MessagePack sizes end at 4294967295.")
            )
        }
    }

    // MARK: Replacing entries

    private func remember(_ name: EncodedKey) {
        self.keys.insert(name)
        guard self.keys.wantsAll else { return }
        var all: Set<EncodedKey> = []
        self.visitEntries { key, _, _ in
            all.insert(key)
            return true
        }
        self.keys.fill(with: all)
    }

    /// Where an entry written before lies; `part` is the index of its part if its value is one.
    private func findEntry(_ name: EncodedKey) -> (bytes: Range<Int>, part: Int?)? {
        var result: (bytes: Range<Int>, part: Int?)?
        self.visitEntries { key, bytes, part in
            if key == name { result = (bytes, part) }
            return result == nil
        }
        return result
    }

    /// Walks the entries written so far, until the closure returns `false`.
    private func visitEntries(_ visit: (EncodedKey, Range<Int>, Int?) -> Bool) {
        self.buffer.withUnsafeBytes { bytes in
            var offset = self.start + 1
            var nextPart = 0
            while offset < bytes.count {
                let start = offset
                // The bytes are this encoder's own, so reading them cannot fail.
                guard let key = try? EncodedKey(reading: bytes, at: &offset) else { return }
                var part: Int?
                if nextPart < self.parts.count, self.parts[nextPart].offset == offset {
                    part = nextPart
                    nextPart += 1
                } else if (try? StructureScan.skip(bytes, at: &offset, maximumDepth: .max)) == nil {
                    return
                }
                if !visit(key, start..<offset, part) { return }
            }
        }
    }

    private func removeEntry(_ name: EncodedKey) {
        guard let (range, part) = self.findEntry(name) else { return }
        if let part { self.parts.remove(at: part) }
        self.buffer.remove(range)
        for index in self.parts.indices where self.parts[index].offset >= range.upperBound {
            self.parts[index].offset -= range.count
        }
        self.count -= 1
    }
}
