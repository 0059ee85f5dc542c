/// A coding key as it is written: by number if it has one, else by name.
enum EncodedKey: Hashable {
    case name(String)
    case number(Int)

    init(_ key: some CodingKey) {
        guard let number = key.intValue else {
            self = .name(key.stringValue)
            return
        }
        // Dictionary's own keys claim a number for every string that reads as one, "007" and "+7" included; as numbers
        // those would collide and come back as "7".
        let name = key.stringValue
        self = Int(name) == number && name != String(number) ? .name(name) : .number(number)
    }

    @inline(__always)
    func pack(into buffer: MessagePackBuffer) {
        switch self {
        case .name(let name): _ = buffer.pack(name)
        case .number(let number): buffer.pack(Int64(number))
        }
    }

    /// Reads back a key that this encoder wrote, leaving the offset behind it.
    init(reading bytes: UnsafeRawBufferPointer, at offset: inout Int) throws(Flaw) {
        let head = try Head(bytes, at: offset)
        offset = head.end
        self = head.kind == .string ? .name(try head.string(in: bytes)) : .number(try head.integer(as: Int.self))
    }
}

/// The keys already written to a map, to notice one that comes twice.
///
/// A map of a few keys, every struct, needs one word: a filter that says "surely not" or "look". Larger ones keep a
/// set.
struct WrittenKeys {
    private static let filteredCount = 16

    private final class KeySet {
        var keys: Set<EncodedKey>
        init(_ keys: Set<EncodedKey>) { self.keys = keys }
    }

    private var filter: UInt64 = 0
    private var count = 0
    private var all: KeySet?

    /// True once, when the filter is about full and the set must take over.
    var wantsAll: Bool {
        @inline(__always) get { self.count == Self.filteredCount && self.all == nil }
    }

    @inline(__always)
    func mayContain(_ key: EncodedKey) -> Bool {
        if let all { return all.keys.contains(key) }
        return self.filter & Self.bit(key) != 0
    }

    @inline(__always)
    mutating func insert(_ key: EncodedKey) {
        if let all {
            all.keys.insert(key)
        } else {
            self.filter |= Self.bit(key)
            self.count += 1
        }
    }

    mutating func fill(with keys: Set<EncodedKey>) {
        self.all = KeySet(keys)
    }

    @inline(__always)
    private static func bit(_ key: EncodedKey) -> UInt64 {
        switch key {
        case .name(var name):
            name.withUTF8 { utf8 in
                guard let first = utf8.first, let last = utf8.last else { return 1 }
                let mixed = utf8.count &* 31 &+ Int(first) &* 7 &+ Int(last) &* 13 &+ Int(utf8[utf8.count / 2])
                return 1 << UInt64(truncatingIfNeeded: mixed & 63)
            }
        case .number(let number):
            1 << UInt64(truncatingIfNeeded: number & 63)
        }
    }
}
