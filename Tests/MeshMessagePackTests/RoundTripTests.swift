import Foundation
import MeshMessagePack
import Testing

@Suite struct RoundTripTests {
    @Test("integers of every width at their edges")
    func integers() throws {
        func check<T: FixedWidthInteger & Codable>(_ type: T.Type) throws {
            for value in [T.min, 0, 1, 31, 32, 127, T.max, T.max - 1, T.max / 2] {
                #expect(try roundTrip(value) == value)
                #expect(try roundTrip([value]) == [value])
                #expect(try roundTrip(["k": value]) == ["k": value])
                #expect(try roundTrip(Optional(value)) == value)
            }
            let many = (0..<100).map { T(truncatingIfNeeded: $0 &* 0x0123_4567_89AB_CDEF) }
            #expect(try roundTrip(many) == many)
        }
        try check(Int.self)
        try check(Int8.self)
        try check(Int16.self)
        try check(Int32.self)
        try check(Int64.self)
        try check(UInt.self)
        try check(UInt8.self)
        try check(UInt16.self)
        try check(UInt32.self)
        try check(UInt64.self)
    }

    @Test("floats, with infinities, zeros and the bits of a value that is no number")
    func floats() throws {
        let edges: [Double] = [0, -0.0, 1.5, .pi, .infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
        for value in edges + edges.map(-) {
            #expect(try roundTrip(value).bitPattern == value.bitPattern)
            let narrow = Float(value)
            #expect(try roundTrip(narrow).bitPattern == narrow.bitPattern)
        }
        #expect(try roundTrip(Double.nan).isNaN)
        #expect(try roundTrip(Float.nan).isNaN)
        let many = (0..<1000).map { Double($0) / 3 }
        #expect(try roundTrip(many) == many)
        #expect(try roundTrip(many.map(Float.init)) == many.map(Float.init))
    }

    @Test("a wide float is rounded to a float, but never to infinity")
    func narrowing() throws {
        #expect(try decode(Float.self, encode(0.1)) == 0.1)
        #expect(throws: DecodingError.self) { try decode(Float.self, encode(1e300)) }
        #expect(try decode(Float.self, encode(Double.infinity)) == .infinity)
    }

    @Test("strings, bytes and dates")
    func others() throws {
        for length in [0, 1, 31, 32, 255, 256, 65535, 65536] {
            let string = String(repeating: "ß", count: length)
            #expect(try roundTrip(string) == string)
            let data = Data((0..<length).map { UInt8(truncatingIfNeeded: $0) })
            #expect(try roundTrip(data) == data)
            #expect(try roundTrip([UInt8](data)) == [UInt8](data))
            #expect(try roundTrip(["k": data]) == ["k": data])
            let ext = MessagePackExtension(type: 5, data: data)
            #expect(try roundTrip(ext) == ext)
        }
        for interval in [0, 1.25, -1.25, 785_000_000.123456, -9e9, 1e12, 0.1 + 0.2] {
            let date = Date(timeIntervalSinceReferenceDate: interval)
            let again = try roundTrip(date).timeIntervalSinceReferenceDate
            #expect(abs(again - interval) <= 0.5e-9)
        }
        let now = Date()
        #expect(try roundTrip(now) == now)
        #expect(throws: EncodingError.self) { try encode(Date(timeIntervalSince1970: .infinity)) }
        #expect(throws: EncodingError.self) { try encode(Date(timeIntervalSince1970: 1e300)) }
    }

    @Test("dictionaries with keys of every kind")
    func dictionaries() throws {
        struct Key: Codable, Hashable { var a: Int, b: String }
        enum Direction: String, Codable, CodingKeyRepresentable { case north, south }
        #expect(try roundTrip(["a": 1, "7": 2, "007": 3]) == ["a": 1, "7": 2, "007": 3])
        #expect(try roundTrip([1: "a", -5: "b"]) == [1: "a", -5: "b"])
        #expect(try roundTrip([UInt64.max: 1, 0: 2]) == [UInt64.max: 1, 0: 2])
        #expect(try roundTrip([1.5: [1], -1: []]) == [1.5: [1], -1: []])
        #expect(try roundTrip([Key(a: 1, b: "x"): [true: 1]]) == [Key(a: 1, b: "x"): [true: 1]])
        #expect(try roundTrip([Direction.north: 1, .south: 2]) == [.north: 1, .south: 2])
        #expect(try encode([Direction.north: 1]) == bytes("81 a56e6f727468 01"))
        let large = Dictionary(uniqueKeysWithValues: (0..<5000).map { ("key \($0)", $0) })
        #expect(try roundTrip(large) == large)
    }

    @Test("dictionaries decode from the alternating array that Swift writes for other formats")
    func alternating() throws {
        #expect(try decode([UInt64: String].self, bytes("94 01 a161 02 a162")) == [1: "a", 2: "b"])
        #expect(throws: DecodingError.self) { try decode([UInt64: String].self, bytes("93 01 a161 02")) }
    }

    @Test("Swift's own way of writing a dictionary keeps its keys")
    func forwarded() throws {
        struct Wrapper<Key: Codable & Hashable>: Codable {
            var entries: [Key: Int]
            init(_ entries: [Key: Int]) { self.entries = entries }
            init(from decoder: any Decoder) throws { self.entries = try [Key: Int](from: decoder) }
            func encode(to encoder: any Encoder) throws { try self.entries.encode(to: encoder) }
        }
        let names = ["a": 1, "7": 2, "007": 3, "+7": 4, "-0": 5]
        #expect(try roundTrip(Wrapper(names)).entries == names)
        #expect(try roundTrip(Wrapper([1: 1, -7: 2])).entries == [1: 1, -7: 2])
        #expect(try encode(Wrapper([1: 1])) == bytes("81 01 01"))
        #expect(try roundTrip(Wrapper([2 as UInt8: 1])).entries == [2: 1])
    }

    @Test("optionals at every level")
    func optionals() throws {
        struct Fields: Codable, Equatable {
            var a: Int?
            var b: String?
            var c: [Int?]
            var d: [String: Double?]
            var e: Date?
        }
        let fields = Fields(a: nil, b: "b", c: [1, nil, 3], d: ["x": nil, "y": 2], e: .distantPast)
        #expect(try roundTrip(fields) == fields)
        #expect(try roundTrip(String?.none) == nil)
        #expect(try roundTrip([Int?.none]) == [nil])
        #expect(
            try decode(Fields.self, encode(["a": MessagePackValue.null, "c": .array([]), "d": .map([:])])).a == nil)
    }

    @Test("other types of the standard library and Foundation")
    func library() throws {
        let uuid = UUID()
        #expect(try roundTrip(uuid) == uuid)
        #expect(try roundTrip(Set([1, 2, 3])) == [1, 2, 3])
        #expect(try roundTrip(1..<5) == 1..<5)
        #expect(try roundTrip(ContiguousArray([1, 2])) == [1, 2])
        #expect(try roundTrip(Decimal(string: "1.25")) == Decimal(string: "1.25"))
        let url = try #require(URL(string: "https://example.org/a?b=c"))
        #expect(try roundTrip(url) == url)
        #expect(try roundTrip([url]) == [url])
    }

    @Test("userInfo reaches types on both sides")
    func userInfo() throws {
        struct Reader: Codable {
            static let key = CodingUserInfoKey(rawValue: "test")
            var found: String?
            init() {}
            init(from decoder: any Decoder) throws {
                self.found = Self.key.flatMap { decoder.userInfo[$0] as? String }
            }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(Self.key.flatMap { encoder.userInfo[$0] as? String })
            }
        }
        let key = try #require(Reader.key)
        var encoder = MessagePackEncoder()
        encoder.userInfo[key] = "out"
        #expect(try encoder.encode([Reader()]) == encode(["out"]))
        var decoder = MessagePackDecoder()
        decoder.userInfo[key] = "in"
        #expect(try decoder.decode(Reader.self, from: encode("x")).found == "in")
    }

    @Test("random values come back equal, and their bytes are stable")
    func random() throws {
        var generator = SplitMix(state: 42)
        for _ in 0..<2000 {
            let value = MessagePackValue.random(depth: 4, &generator)
            let data = try encode(value)
            #expect(try decode(MessagePackValue.self, data) == value)
        }
    }
}

/// A small generator with a seed, so that a failure can be seen again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension MessagePackValue {
    static func random(depth: Int, _ generator: inout some RandomNumberGenerator) -> MessagePackValue {
        let size = Int.random(in: 0...20, using: &generator)
        switch Int.random(in: 0..<(depth > 0 ? 11 : 9), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2: return .int(Int64(truncatingIfNeeded: generator.next() >> UInt64.random(in: 0..<64, using: &generator)))
        case 3: return .uint(generator.next())
        case 4: return .double(Double(bitPattern: generator.next() & ~(1 << 51)))
        case 5: return .float(Float.random(in: -1e6...1e6, using: &generator))
        case 6: return .string(String((0..<size).map { _ in "aé漢🍺".randomElement(using: &generator) ?? "a" }))
        case 7: return .binary(Data((0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }))
        case 8: return .ext(.init(type: Int8.random(in: -128...127, using: &generator), data: Data(count: size)))
        case 9: return .array((0..<size).map { _ in .random(depth: depth - 1, &generator) })
        default:
            let entries = (0..<size).map { _ in
                (MessagePackValue.random(depth: 0, &generator), MessagePackValue.random(depth: depth - 1, &generator))
            }
            return .map(Dictionary(entries) { first, _ in first })
        }
    }
}
