import MeshCore
import Testing

@Suite struct BatchHeaderTests {
    private static let header = BatchHeader(
        from: PeerID(0xab), to: PeerID(0xcd), epoch: 3, sequence: 7, acknowledgedEpoch: 2, acknowledged: 5)

    @Test("a header is written as the golden vector says, and read back")
    func golden() throws {
        #expect(written { Self.header.write(to: $0) } == GoldenVector.header)
        let read = try reading(bytes(GoldenVector.header)) { try BatchHeader(from: &$0) }
        #expect(read == Self.header)
    }

    @Test("every truncation is refused")
    func truncations() {
        let whole = bytes(GoldenVector.header)
        for count in 0..<whole.count {
            #expect(throws: WireError.self) { try reading(Array(whole[..<count])) { try BatchHeader(from: &$0) } }
        }
    }

    @Test("a patched header has the new numbers and the old length")
    func patch() throws {
        let buffer = WireBuffer()
        Self.header.write(to: buffer)
        var changed = Self.header
        (changed.sequence, changed.acknowledgedEpoch, changed.acknowledged) = (.max, 9, 1)
        changed.patch(buffer)
        let patched = Array(buffer.bytes)
        #expect(patched.count == bytes(GoldenVector.header).count)
        let read = try reading(patched) { try BatchHeader(from: &$0) }
        #expect(read == changed)
    }

    @Test("another version is told from damage")
    func version() {
        for dump in ["97 02" + GoldenVector.header.dropFirst(4), "99 02"] {
            let error = #expect(throws: ProtocolMismatch.self) {
                try reading(bytes(dump)) { try BatchHeader(from: &$0) }
            }
            #expect(error?.version == 2)
        }
        #expect(throws: WireError.self) {
            try reading(bytes("96 01" + GoldenVector.header.dropFirst(4))) { try BatchHeader(from: &$0) }
        }
    }
}
