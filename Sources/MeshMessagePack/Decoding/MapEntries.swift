#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The keys of a map and where their values lie; made once per map, with each key checked to be valid and unique.
///
/// It belongs to a decoder, which deallocates it; as plain memory it costs one allocation and no reference counts.
struct MapEntries {
    struct Entry {
        let head: Head
        let value: Position
    }

    let entries: UnsafeMutableBufferPointer<Entry>
    /// Open-addressed indices into `entries`, for maps too large to search from end to end.
    private let table: UnsafeMutableBufferPointer<UInt32>
    /// Where the next key is expected: types read their keys in the order in which they wrote them.
    private var cursor = 0

    private static let searchedCount = 16

    /// - Throws: `DecodingError` if the value is not a map, or has a key twice or one that is not valid UTF-8.
    init(of decoder: ValueDecoder) throws {
        let session = decoder.session
        let head: Head
        do throws(Flaw) {
            head = try session.head(at: decoder.position)
            guard head.kind == .map else { throw Flaw.mismatch(found: head.kind) }
        } catch {
            throw decoder.failure(error, expected: [String: Any].self)
        }
        // The scan has checked that the input holds as many items as the header announces.
        self.entries = .allocate(capacity: Int(head.bits))
        self.table = .allocate(capacity: Self.tableSize(self.entries.count))
        self.table.initialize(repeating: 0)
        do {
            try self.readKeys(of: decoder, head, session.bytes)
        } catch {
            self.deallocate()
            throw error
        }
    }

    func deallocate() {
        self.entries.deallocate()
        self.table.deallocate()
    }

    private func readKeys(of decoder: ValueDecoder, _ head: Head, _ bytes: UnsafeRawBufferPointer) throws {
        let outline = decoder.session.outline
        do throws(Flaw) {
            var position = Position(offset: head.body, container: decoder.position.container + 1)
            for index in 0..<self.entries.count {
                let key = try Head(bytes, at: position.offset)
                if key.kind == .string, !Self.isASCII(Self.text(key, bytes)) { _ = try key.string(in: bytes) }
                position = try outline.step(over: key, at: position)
                self.entries.initializeElement(at: index, to: Entry(head: key, value: position))
                position = try outline.step(over: position, in: bytes)
            }
        } catch {
            throw decoder.failure(error, expected: [String: Any].self)
        }
        if let duplicate = self.table.isEmpty ? self.searchForDuplicate(bytes) : self.fillTable(bytes) {
            let key = PathIndex(describing: self.entries[duplicate].head, in: bytes)
            let flaw = Flaw.invalid("A map has the key \(key.stringValue) twice.")
            throw decoder.failure(flaw, expected: [String: Any].self, key)
        }
    }

    // MARK: Finding

    /// The value under a name or, failing that, under a number.
    mutating func find(_ name: inout String, _ number: Int?, in bytes: UnsafeRawBufferPointer) -> Position? {
        if let position = name.withUTF8({ self.find(name: UnsafeRawBufferPointer($0), in: bytes) }) { return position }
        return number.flatMap { self.find(number: $0, in: bytes) }
    }

    private mutating func find(name: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer) -> Position? {
        self.find(hash: Self.hash(name)) { head in
            head.kind == .string && Self.isSame(Self.text(head, bytes), name)
        }
    }

    private mutating func find(number: Int, in bytes: UnsafeRawBufferPointer) -> Position? {
        self.find(hash: Self.hash(UInt64(bitPattern: Int64(number)))) { head in
            head.kind == (number < 0 ? .negative : .positive) && head.bits == UInt64(bitPattern: Int64(number))
        }
    }

    @inline(__always)
    private mutating func find(hash: @autoclosure () -> Int, _ matches: (Head) -> Bool) -> Position? {
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

    /// The index of a key that an earlier one equals, in a map small enough to compare each with each.
    private func searchForDuplicate(_ bytes: UnsafeRawBufferPointer) -> Int? {
        for index in 0..<self.entries.count {
            let head = self.entries[index].head
            for earlier in 0..<index where Self.isSame(self.entries[earlier].head, head, in: bytes) {
                return index
            }
        }
        return nil
    }

    /// At most half full, so that a search soon meets a gap; none for a map that is searched from end to end.
    private static func tableSize(_ count: Int) -> Int {
        if count <= self.searchedCount { return 0 }
        var size = 64
        while size < count * 2 { size *= 2 }
        return size
    }

    /// Fills the table; the index of a key that an earlier one equals, if there is one.
    private func fillTable(_ bytes: UnsafeRawBufferPointer) -> Int? {
        for index in 0..<self.entries.count {
            let head = self.entries[index].head
            var slot = head.kind.isInteger ? Self.hash(head.bits) : Self.hash(Self.text(head, bytes))
            slot &= self.table.count - 1
            while self.table[slot] != 0 {
                if Self.isSame(self.entries[Int(self.table[slot]) - 1].head, head, in: bytes) { return index }
                slot = (slot + 1) & (self.table.count - 1)
            }
            self.table[slot] = UInt32(index + 1)
        }
        return nil
    }

    /// The bytes that tell one key from another of its kind.
    private static func text(_ head: Head, _ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[head.body..<head.end])
    }

    private static func isSame(_ one: Head, _ other: Head, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard one.kind == other.kind, one.bits == other.bits, one.end - one.body == other.end - other.body else {
            return false
        }
        // A container as a key is of no use to a `Codable` type and is not compared.
        if one.kind.isContainer { return false }
        return self.isSame(self.text(one, bytes), self.text(other, bytes))
    }

    @inline(__always)
    private static func isSame(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
        guard one.count == other.count else { return false }
        guard let a = one.baseAddress, let b = other.baseAddress else { return true }
        return memcmp(a, b, one.count) == 0
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
