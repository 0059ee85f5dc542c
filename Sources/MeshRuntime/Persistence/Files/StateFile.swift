import FoundationEssentials

/// The bytes of a file that holds a state: a line for people and programs that find it, whose state it is, and a
/// checksum, so that a damaged or truncated file is recognised.
///
/// `actormesh state 1\n`, then as big-endian numbers of 32 and 64 bits the checksum of all that follows, the length of
/// the name, and that of the state; then the name (`Type\0key`) and the state.
struct StateFile: Hashable {
    var key: StateKey
    var state: Data

    private static let magic = Array("actormesh state 1\n".utf8)
    private static let headSize = Self.magic.count + 4 + 4 + 8

    var bytes: Data {
        let name = Array("\(self.key.type)\0\(self.key.key)".utf8)
        var body = Data(capacity: 12 + name.count + self.state.count)
        Self.append(UInt64(name.count), bytes: 4, to: &body)
        Self.append(UInt64(self.state.count), bytes: 8, to: &body)
        body.append(contentsOf: name)
        body.append(self.state)
        var all = Data(capacity: Self.headSize + name.count + self.state.count)
        all.append(contentsOf: Self.magic)
        Self.append(UInt64(Checksum.crc32c(body)), bytes: 4, to: &all)
        all.append(body)
        return all
    }

    /// Reads what `bytes` wrote.
    ///
    /// - Throws: `damaged`, with what is wrong.
    init(key: StateKey, reading data: Data) throws(StateStoreError) {
        let bytes = Array(data)
        guard bytes.count >= Self.headSize else { throw Self.damaged("it ends after \(bytes.count) bytes") }
        guard bytes.starts(with: Self.magic) else { throw Self.damaged("it does not begin as one") }
        let checksum = Self.number(bytes, at: Self.magic.count, bytes: 4)
        let nameCount = Self.number(bytes, at: Self.magic.count + 4, bytes: 4)
        let stateCount = Self.number(bytes, at: Self.magic.count + 8, bytes: 8)
        let expected = UInt64(Self.headSize).addingReportingOverflow(nameCount).partialValue
            .addingReportingOverflow(stateCount)
        guard !expected.overflow, UInt64(bytes.count) == expected.partialValue else {
            throw Self.damaged("it has \(bytes.count) bytes, not as many as it says")
        }
        guard UInt64(Checksum.crc32c(bytes[(Self.magic.count + 4)...])) == checksum else {
            throw Self.damaged("its checksum is not that of its bytes")
        }
        let name = bytes[Self.headSize..<(Self.headSize + Int(nameCount))]
        guard name.elementsEqual("\(key.type)\0\(key.key)".utf8) else {
            throw Self.damaged("it is the state of another actor, \(String(decoding: name, as: UTF8.self))")
        }
        self.key = key
        self.state = Data(bytes[(Self.headSize + Int(nameCount))...])
    }

    init(key: StateKey, state: Data) {
        self.key = key
        self.state = state
    }

    private static func damaged(_ what: String) -> StateStoreError { StateStoreError(.damaged, what) }

    private static func append(_ number: UInt64, bytes count: Int, to data: inout Data) {
        for index in (0..<count).reversed() { data.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))) }
    }

    private static func number(_ bytes: [UInt8], at start: Int, bytes count: Int) -> UInt64 {
        bytes[start..<(start + count)].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
