import MeshCore
import Testing

@Suite struct WireReaderTests {
    @Test(
        "unsigned integers are written in their shortest form and read back",
        arguments: [
            (0, "00"), (1, "01"), (127, "7f"), (128, "cc80"), (255, "ccff"), (256, "cd0100"), (65_535, "cdffff"),
            (65_536, "ce00010000"), (4_294_967_295, "ceffffffff"), (4_294_967_296, "cf0000000100000000"),
            (UInt64.max, "cfffffffffffffffff"),
        ] as [(UInt64, String)])
    func integers(value: UInt64, dump: String) throws {
        #expect(written { $0.write(value) } == dump)
        #expect(try reading(bytes(dump)) { try $0.readUInt() } == value)
        // Longer forms of small numbers mean the same.
        #expect(try reading(bytes(written { $0.writeFixed(value) })) { try $0.readUInt() } == value)
    }

    @Test("strings of every length class are read back", arguments: [0, 1, 31, 32, 255, 256, 65_535, 65_536])
    func strings(count: Int) throws {
        let text = String(repeating: "é", count: count / 2) + (count % 2 == 1 ? "x" : "")
        let dump = written { $0.write(text) }
        #expect(try reading(bytes(dump)) { try $0.readString() } == text)
        #expect(try reading(bytes(written { $0.write(optional: text) })) { try $0.readOptionalString() } == text)
    }

    @Test("a string that is longer than allowed is refused before it is read")
    func longString() {
        #expect(throws: WireError.self) { try reading(bytes("db 00010001 61")) { try $0.readString() } }
        #expect(throws: WireError.self) { try reading(bytes("a3 616263")) { try $0.readString(maximumBytes: 2) } }
    }

    @Test("a string that is not UTF-8 is refused")
    func invalidString() {
        #expect(throws: WireError.self) { try reading(bytes("a2 c328")) { try $0.readString() } }
    }

    @Test("binary of every length class is read back", arguments: [0, 1, 255, 256, 65_535, 65_536])
    func binary(count: Int) throws {
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let dump = written { buffer in content.withUnsafeBytes { buffer.writeBinary($0) } }
        let (read, isAtEnd) = try reading(bytes(dump)) { (Array(try $0.readBinary()), $0.isAtEnd) }
        #expect(read == content)
        #expect(isAtEnd)
    }

    @Test(
        "sizes that announce more than there is are refused",
        arguments: [
            "c4 01", "c4 ff 00", "c5 ffff 00", "c6 ffffffff 00", "c6 7fffffff", "d9 05 61", "da ffff", "bf 61",
        ])
    func hostileSizes(dump: String) {
        #expect(throws: WireError.self) { try reading(bytes(dump)) { try $0.readBinary() } }
        #expect(throws: WireError.self) { try reading(bytes(dump)) { try $0.readString() } }
    }

    @Test("an array header takes no memory, whatever it announces")
    func arrayHeader() throws {
        #expect(try reading(bytes("dd ffffffff")) { try $0.readArrayHeader() } == 4_294_967_295)
        #expect(try reading(bytes("9f")) { try $0.readArrayHeader() } == 15)
        #expect(try reading(bytes(written { $0.writeArrayHeader(300) })) { try $0.readArrayHeader() } == 300)
    }

    @Test("counts that would overflow are refused")
    func counts() throws {
        #expect(try reading(bytes("ce 7fffffff")) { try $0.readCount() } == 2_147_483_647)
        #expect(throws: WireError.self) { try reading(bytes("ce 80000000")) { try $0.readCount() } }
        #expect(throws: WireError.self) { try reading(bytes("cf ffffffffffffffff")) { try $0.readCount() } }
    }

    @Test("every other first byte is refused, by each kind of read")
    func wrongKinds() {
        for byte in UInt8.min...UInt8.max {
            let bytes = [byte] + [UInt8](repeating: 0, count: 20)
            let isUInt = byte < 0x80 || (0xcc...0xcf).contains(byte)
            let isArray = (0x90...0x9f).contains(byte) || byte == 0xdc || byte == 0xdd
            let isBinary = (0xc4...0xc6).contains(byte)
            #expect(self.accepts(bytes) { _ = try $0.readUInt() } == isUInt)
            #expect(self.accepts(bytes) { _ = try $0.readArrayHeader() } == isArray)
            #expect(self.accepts(bytes) { _ = try $0.readBinary() } == isBinary)
            #expect(reading(bytes) { $0.isAtUInt } == isUInt)
        }
    }

    private func accepts(_ bytes: [UInt8], _ body: (inout WireReader) throws -> Void) -> Bool {
        do {
            try reading(bytes, body)
            return true
        } catch {
            return false
        }
    }

    @Test("an ID has 16 bytes")
    func id() throws {
        let id = UniqueID(high: 0x0011_2233_4455_6677, low: 0x8899_aabb_ccdd_eeff)
        let dump = written { $0.write(id) }
        #expect(dump == "c410" + "00112233445566778899aabbccddeeff")
        #expect(try reading(bytes(dump)) { try $0.readID() } == id)
        #expect(throws: WireError.self) {
            try reading(bytes("c40f" + String(repeating: "00", count: 15))) { try $0.readID() }
        }
    }
}
