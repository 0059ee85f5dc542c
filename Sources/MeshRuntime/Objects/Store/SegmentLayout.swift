import FoundationEssentials

/// How an encoded value lies in a segment of shared memory: a header, the places of its large parts, its MessagePack,
/// and the large parts, each at a multiple of 64 bytes, so that numbers in them can be read in place.
///
/// Everything is little-endian:
///
/// | Bytes | |
/// |---|---|
/// | 8 | `AMOBJ001` |
/// | 8 | the segment's number |
/// | 8 | the process that made it |
/// | 8 | how many bytes the segment has |
/// | 8 | how many bytes of MessagePack |
/// | 8 | how many large parts |
/// | 16 each | where a large part begins and how many bytes it has |
struct SegmentLayout: Hashable, Sendable {
    /// Where the MessagePack lies.
    let head: Range<Int>
    /// Where the large parts lie.
    let parts: [Range<Int>]
    /// How many bytes the segment has.
    let size: Int

    static let magic: UInt64 = 0x3130_304a_424f_4d41
    static let headerSize = 48
    private static let alignment = 64
    /// No value has more large parts: each has at least 64 KiB.
    private static let mostParts = 1 << 24

    /// - Parameters:
    ///   - head: how many bytes of MessagePack.
    ///   - parts: how many bytes each large part has.
    init(head: Int, parts: [Int]) {
        var end = Self.headerSize + 16 * parts.count
        self.head = end..<end + head
        end += head
        self.parts = parts.map { count in
            let start = (end + Self.alignment - 1) / Self.alignment * Self.alignment
            end = start + count
            return start..<end
        }
        self.size = end
    }

    /// What comes before the MessagePack.
    func header(number: UInt64, maker: UInt64) -> Data {
        var words = [Self.magic, number, maker, UInt64(self.size), UInt64(self.head.count), UInt64(self.parts.count)]
        for part in self.parts { words += [UInt64(part.lowerBound), UInt64(part.count)] }
        return words.map(\.littleEndian).withUnsafeBytes { Data($0) }
    }

    /// Reads what is in a segment; nil when it is another one, or none.
    init?(reading bytes: UnsafeRawBufferPointer, number: UInt64, maker: UInt64) {
        func word(_ index: Int) -> UInt64 {
            bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self).littleEndian
        }
        guard bytes.count >= Self.headerSize, word(0) == Self.magic, word(1) == number, word(2) == maker,
            word(3) == UInt64(bytes.count), word(4) <= UInt64(bytes.count), word(5) <= UInt64(Self.mostParts)
        else { return nil }
        let (headCount, partCount) = (Int(word(4)), Int(word(5)))
        let start = Self.headerSize + 16 * partCount
        guard start + headCount <= bytes.count else { return nil }
        var parts: [Range<Int>] = []
        for index in 0..<partCount {
            let (lower, count) = (word(6 + 2 * index), word(7 + 2 * index))
            guard lower <= UInt64(bytes.count), count <= UInt64(bytes.count) - lower else { return nil }
            parts.append(Int(lower)..<Int(lower + count))
        }
        self.head = start..<start + headCount
        self.parts = parts
        self.size = bytes.count
    }
}
