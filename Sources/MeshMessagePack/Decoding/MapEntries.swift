/// The keys of a map and where their values lie; made once per map, with each key checked to be valid and unique.
final class MapEntries {
    struct Entry {
        let head: Head
        let value: Position
    }

    let entries: [Entry]
    /// Open-addressed indices into `entries`, for maps too large to search from end to end.
    private let table: [UInt32]
    /// Where the next key is expected: types read their keys in the order in which they wrote them.
    private var cursor = 0

    private static let searchedCount = 16

    /// - Throws: `DecodingError` if the value is not a map, or has a key twice or one that is not valid UTF-8.
    init(of decoder: ValueDecoder) throws {
        let session = decoder.session
        let expected = [String: Any].self
        let head: Head
        do throws(Flaw) {
            head = try session.head(at: decoder.position)
            guard head.kind == .map else { throw Flaw.mismatch(found: head.kind) }
        } catch {
            throw decoder.failure(error, expected: expected)
        }
        var entries: [Entry] = []
        // The scan has checked that the input holds as many items as the header announces.
        entries.reserveCapacity(Int(head.bits))
        do throws(Flaw) {
            var position = Position(offset: head.body, container: decoder.position.container + 1)
            for _ in 0..<head.bits {
                let key = try Head(session.bytes, at: position.offset)
                if key.kind == .string, !Self.isASCII(session.body(of: key)) { _ = try session.string(key) }
                position = try session.outline.step(over: key, at: position)
                entries.append(Entry(head: key, value: position))
                position = try session.step(over: position)
            }
        } catch {
            throw decoder.failure(error, expected: expected)
        }
        let duplicate: Int?
        if entries.count <= Self.searchedCount {
            self.table = []
            duplicate = entries.indices.first { index in
                entries[..<index].contains { Self.isSame($0.head, entries[index].head, in: session.bytes) }
            }
        } else {
            (self.table, duplicate) = Self.makeTable(entries, session.bytes)
        }
        self.entries = entries
        if let duplicate {
            let key = PathIndex(describing: entries[duplicate].head, in: session.bytes)
            throw decoder.failure(.invalid("A map has the key \(key.stringValue) twice."), expected: expected, key)
        }
    }

    // MARK: Finding

    func find(_ key: some CodingKey, in bytes: UnsafeRawBufferPointer) -> Position? {
        var name = key.stringValue
        if let position = name.withUTF8({ self.find(name: UnsafeRawBufferPointer($0), in: bytes) }) { return position }
        return key.intValue.flatMap { self.find(number: $0, in: bytes) }
    }

    private func find(name: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer) -> Position? {
        self.find(hash: Self.hash(name)) { head in
            head.kind == .string && Self.isSame(bytes[head.body..<head.end], name[...])
        }
    }

    private func find(number: Int, in bytes: UnsafeRawBufferPointer) -> Position? {
        self.find(hash: Self.hash(UInt64(bitPattern: Int64(number)))) { head in
            head.kind == (number < 0 ? .negative : .positive) && head.bits == UInt64(bitPattern: Int64(number))
        }
    }

    @inline(__always)
    private func find(hash: @autoclosure () -> Int, _ matches: (Head) -> Bool) -> Position? {
        let count = self.entries.count
        // The last key found, since one lookup follows another for the same key, and the one behind it.
        for index in self.cursor..<min(self.cursor + 2, count) where matches(self.entries[index].head) {
            self.cursor = index
            return self.entries[index].value
        }
        if self.table.isEmpty {
            for index in 0..<count where matches(self.entries[index].head) {
                self.cursor = index
                return self.entries[index].value
            }
            return nil
        }
        var slot = hash() & (self.table.count - 1)
        while self.table[slot] != 0 {
            let index = Int(self.table[slot]) - 1
            if matches(self.entries[index].head) {
                self.cursor = index
                return self.entries[index].value
            }
            slot = (slot + 1) & (self.table.count - 1)
        }
        return nil
    }

    // MARK: Comparing

    private static func makeTable(_ entries: [Entry], _ bytes: UnsafeRawBufferPointer) -> ([UInt32], duplicate: Int?) {
        var size = 64
        while size < entries.count * 2 { size *= 2 }
        var table = [UInt32](repeating: 0, count: size)
        for index in entries.indices {
            let head = entries[index].head
            var slot = (head.kind.isInteger ? self.hash(head.bits) : self.hash(self.text(head, bytes))) & (size - 1)
            while table[slot] != 0 {
                if self.isSame(entries[Int(table[slot]) - 1].head, head, in: bytes) { return (table, index) }
                slot = (slot + 1) & (size - 1)
            }
            table[slot] = UInt32(index + 1)
        }
        return (table, nil)
    }

    /// The bytes that tell one key from another of its kind.
    private static func text(_ head: Head, _ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[head.body..<head.end])
    }

    private static func isSame(_ one: Head, _ other: Head, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard one.kind == other.kind, one.bits == other.bits else { return false }
        // A container as a key is of no use to a `Codable` type and is not compared.
        if one.kind.isContainer { return false }
        return self.isSame(bytes[one.body..<one.end], bytes[other.body..<other.end])
    }

    @inline(__always)
    private static func isSame(_ one: Slice<UnsafeRawBufferPointer>, _ other: Slice<UnsafeRawBufferPointer>) -> Bool {
        one.count == other.count && one.elementsEqual(other)
    }

    private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.allSatisfy { $0 < 0x80 }
    }

    /// Seeded anew in each process, so that nobody can choose keys that all collide.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        return hasher.finalize()
    }

    private static func hash(_ number: UInt64) -> Int {
        var hasher = Hasher()
        hasher.combine(number)
        return hasher.finalize()
    }
}
