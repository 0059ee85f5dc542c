import Foundation
import MeshMessagePack
import Testing

@Suite struct BadBytesTests {
    struct Outer: Codable {
        var name: String
        var items: [Item]
    }

    struct Item: Codable {
        var id: UInt8
        var tags: [String: Float]
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let hex: String
        let error: String
        let path: String
    }

    static let cases = [
        Case(testDescription: "empty input", hex: "", error: "dataCorrupted", path: ""),
        Case(
            testDescription: "bytes left over",
            hex: "82 a46e616d65 a0 a56974656d73 90 00", error: "dataCorrupted", path: ""
        ),
        Case(testDescription: "not a map", hex: "01", error: "typeMismatch", path: ""),
        Case(testDescription: "nil", hex: "c0", error: "valueNotFound", path: ""),
        Case(testDescription: "missing key", hex: "81 a46e616d65 a0", error: "keyNotFound", path: ""),
        Case(
            testDescription: "missing key inside",
            hex: "82 a46e616d65 a0 a56974656d73 91 81 a26964 01", error: "keyNotFound", path: "items.0"
        ),
        Case(
            testDescription: "duplicate key",
            hex: "82 a46e616d65 a0 a46e616d65 a0", error: "dataCorrupted", path: "name"
        ),
        Case(
            testDescription: "duplicate dictionary key",
            hex: "82 a46e616d65 a0 a56974656d73 91 82 a26964 01 a474616773 82 a161 01 a161 01",
            error: "dataCorrupted", path: "items.0.tags.a"
        ),
        Case(
            testDescription: "number out of range",
            hex: "82 a46e616d65 a0 a56974656d73 91 82 a26964 cd0100 a474616773 80",
            error: "dataCorrupted", path: "items.0.id"
        ),
        Case(
            testDescription: "negative for unsigned",
            hex: "82 a46e616d65 a0 a56974656d73 91 82 a26964 ff a474616773 80",
            error: "dataCorrupted", path: "items.0.id"
        ),
        Case(
            testDescription: "fraction for integer",
            hex: "82 a46e616d65 a0 a56974656d73 91 82 a26964 ca3f000000 a474616773 80",
            error: "dataCorrupted", path: "items.0.id"
        ),
        Case(
            testDescription: "wrong type inside a dictionary",
            hex: "82 a46e616d65 a0 a56974656d73 91 82 a26964 01 a474616773 81 a178 a0",
            error: "typeMismatch", path: "items.0.tags.x"
        ),
        Case(
            testDescription: "invalid UTF-8",
            hex: "82 a46e616d65 a1ff a56974656d73 90", error: "dataCorrupted", path: "name"
        ),
        Case(testDescription: "invalid UTF-8 in a key", hex: "81 a1ff 01", error: "dataCorrupted", path: ""),
        Case(testDescription: "reserved byte", hex: "82 a46e616d65 c1", error: "dataCorrupted", path: "name"),
        Case(
            testDescription: "truncated inside",
            hex: "82 a46e616d65 a0 a56974656d73 92 82 a26964 01 a474616773 80 82 a26964 cd01",
            error: "dataCorrupted", path: "items.1.id"
        ),
        Case(
            testDescription: "announced string beyond the end",
            hex: "82 a46e616d65 dbffffffff 61", error: "dataCorrupted", path: "name"
        ),
        Case(testDescription: "announced array beyond the end", hex: "ddffffffff 01", error: "dataCorrupted", path: ""),
        Case(testDescription: "announced map beyond the end", hex: "dfffffffff 01", error: "dataCorrupted", path: ""),
        Case(
            testDescription: "arrays that together announce too much",
            hex: "82 a46e616d65 a0 a56974656d73 95 95 95 01 01 01 01", error: "dataCorrupted", path: "items.0"
        ),
    ]

    @Test("bad bytes give an error of the right kind with the coding path", arguments: cases)
    func badBytes(_ example: Case) throws {
        let error = #expect(throws: DecodingError.self) { try decode(Outer.self, bytes(example.hex)) }
        #expect(error?.name == example.error)
        #expect(error?.path == example.path)
    }

    @Test("nesting is bounded at the set depth, with the path of the value that is too deep")
    func nesting() throws {
        var decoder = MessagePackDecoder()
        func nested(_ depth: Int) -> Data { Data(repeating: 0x91, count: depth) + [0xC0] }
        _ = try decoder.decode(MessagePackValue.self, from: nested(128))
        let error = #expect(throws: DecodingError.self) { try decoder.decode(MessagePackValue.self, from: nested(129)) }
        #expect(error?.context.codingPath.count == 128)
        #expect(throws: DecodingError.self) {
            try decoder.decode(MessagePackValue.self, from: Data(repeating: 0x91, count: 1_000_000))
        }
        decoder.maximumNestingDepth = 2
        _ = try decoder.decode(MessagePackValue.self, from: nested(2))
        #expect(throws: DecodingError.self) { try decoder.decode(MessagePackValue.self, from: nested(3)) }
    }

    @Test("a map of a thousand keys with one twice is refused")
    func manyKeys() throws {
        var data = bytes("de 03e9")
        for index in 0..<1000 { data += try encode(Name(index).stringValue) + [0x01] }
        data += try encode(Name(500).stringValue) + [0x02]
        struct Reader: Decodable {
            init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: Name.self) }
        }
        let error = #expect(throws: DecodingError.self) { try decode(Reader.self, data) }
        #expect(error?.path == "k500")
        #expect(throws: DecodingError.self) { try decode([String: Int].self, data) }
        #expect(throws: DecodingError.self) { try decode(MessagePackValue.self, data) }
    }

    @Test("timestamps, number arrays and attachments with bodies of the wrong size are refused")
    func badExtensions() throws {
        #expect(throws: DecodingError.self) { try decode(Date.self, bytes("c7 03 ff 000000")) }
        #expect(throws: DecodingError.self) { try decode(Date.self, bytes("d7 ff ffffffff00000000")) }
        #expect(throws: DecodingError.self) { try decode(Date.self, bytes("c7 0c ff 00000000 8000000000000000")) }
        #expect(throws: DecodingError.self) { try decode([Double].self, bytes("c7 07 64 00000000000000")) }
        #expect(throws: DecodingError.self) { try decode([Double].self, bytes("d7 71 0000000000000000")) }
        #expect(throws: DecodingError.self) { try decode(Data.self, bytes("d4 41 00")) }
        #expect(throws: DecodingError.self) { try decode(Data.self, bytes("c7 00 41")) }
        #expect(throws: DecodingError.self) { try decode(Data.self, bytes("d4 41 c1")) }
    }

    @Test("bytes changed at random never do worse than an error")
    func mutated() throws {
        var generator = SplitMix(state: 7)
        let outer = Outer(
            name: "n",
            items: (0..<3).map { Item(id: UInt8($0), tags: ["a": Float($0), "b": 1]) }
        )
        let good = try encode(outer)
        for _ in 0..<20_000 {
            var data = good
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                data[Int.random(in: 0..<data.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            do {
                _ = try decode(Outer.self, data)
            } catch is DecodingError {}
        }
    }
}
