import Foundation
import MeshMessagePack
import Testing

/// The documented forms, byte for byte: these are a promise to readers in other languages.
@Suite struct GoldenBytesTests {
    @Test("scalars take their shortest form")
    func scalars() throws {
        #expect(try encode(5) == bytes("05"))
        #expect(try encode(-1) == bytes("ff"))
        #expect(try encode(Int64.min) == bytes("d3 8000000000000000"))
        #expect(try encode(UInt64.max) == bytes("cf ffffffffffffffff"))
        #expect(try encode(Int8(-128)) == bytes("d0 80"))
        #expect(try encode(300 as UInt16) == bytes("cd 012c"))
        #expect(try encode(1.5) == bytes("cb 3ff8000000000000"))
        #expect(try encode(1.5 as Float) == bytes("ca 3fc00000"))
        #expect(try encode(true) == bytes("c3"))
        #expect(try encode(Int?.none) == bytes("c0"))
        #expect(try encode("é") == bytes("a2 c3a9"))
        #expect(try encode(Data([1, 2])) == bytes("c4 02 0102"))
        #expect(try encode([1, 2] as [UInt8]) == bytes("c4 02 0102"))
        #expect(try encode(Date(timeIntervalSince1970: 1)) == bytes("d6 ff 00000001"))
    }

    @Test("structs are maps by name, absent optionals are left out")
    func structs() throws {
        struct Point: Encodable {
            var x = 1
            var y: Int?
            var z: String? = "a"
        }
        #expect(try encode(Point()) == bytes("82 a178 01 a17a a161"))
    }

    @Test("coding keys with numbers are written as numbers")
    func numberedKeys() throws {
        struct Point: Codable, Equatable {
            var x = 1
            var y = 2
            enum CodingKeys: Int, CodingKey {
                case x = 1
                case y = 300
            }
        }
        #expect(try encode(Point()) == bytes("82 01 01 cd012c 02"))
        #expect(try roundTrip(Point()) == Point())
        #expect(try decode(Point.self, bytes("82 a178 01 a179 02")) == Point())
    }

    @Test("dictionaries are maps whatever their keys")
    func dictionaries() throws {
        #expect(try encode([7: "a"]) == bytes("81 07 a161"))
        #expect(try encode([7 as UInt64: "a"]) == bytes("81 07 a161"))
        #expect(try encode([1.5: true]) == bytes("81 cb3ff8000000000000 c3"))
        #expect(try encode([[1, 2]: true]) == bytes("81 92 01 02 c3"))
        #expect(try encode(["7": 1]) == bytes("81 a137 01"))
    }

    @Test("number arrays are ordinary arrays below 32 elements and raw little-endian numbers from there on")
    func numberArrays() throws {
        #expect(try encode([1.0, 2.0]) == bytes("92 cb3ff0000000000000 cb4000000000000000"))
        #expect(try encode([Int16](repeating: 1, count: 31)).prefix(3) == bytes("dc 001f"))
        let body = String(repeating: "0201", count: 32)
        #expect(try encode([Int16](repeating: 0x0102, count: 32)) == bytes("c7 40 68" + body))
        let codes: [(any Encodable, String)] = [
            ([Int8](repeating: 1, count: 32), "c7 20 62"), ([UInt16](repeating: 1, count: 32), "c7 40 48"),
            ([Int32](repeating: 1, count: 32), "c7 80 69"), ([UInt32](repeating: 1, count: 32), "c7 80 49"),
            ([Int64](repeating: 1, count: 32), "c8 0100 71"), ([Int](repeating: 1, count: 32), "c8 0100 71"),
            ([UInt64](repeating: 1, count: 32), "c8 0100 51"), ([UInt](repeating: 1, count: 32), "c8 0100 51"),
            ([Float](repeating: 1, count: 32), "c7 80 66"), ([Double](repeating: 1, count: 32), "c8 0100 64"),
        ]
        for (array, head) in codes {
            #expect(try encode(array).starts(with: bytes(head)), "\(type(of: array))")
        }
    }

    @Test("enums with payloads are maps of the case to a map of the payload")
    func enums() throws {
        enum Shape: Encodable {
            case empty
            case circle(radius: Int)
            case pair(Int, Int)
        }
        #expect(try encode(Shape.empty) == bytes("81 a5656d707479 80"))
        #expect(try encode(Shape.circle(radius: 3)) == bytes("81 a6636972636c65 81 a6726164697573 03"))
        #expect(try encode(Shape.pair(1, 2)) == bytes("81 a470616972 82 a25f30 01 a25f31 02"))
    }

    @Test("containers of 15, 16 and 65536 items have the header for their size")
    func headers() throws {
        struct Items: Encodable {
            var count: Int
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                for _ in 0..<self.count { try container.encode(1) }
            }
        }
        struct Fields: Encodable {
            var count: Int
            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Name.self)
                for index in 0..<self.count { try container.encode(1, forKey: Name(index)) }
            }
        }
        #expect(try encode(Items(count: 15)).prefix(2) == bytes("9f 01"))
        #expect(try encode(Items(count: 16)).prefix(4) == bytes("dc 0010 01"))
        #expect(try encode(Items(count: 65536)).prefix(6) == bytes("dd 00010000 01"))
        #expect(try encode(Items(count: 65536)).count == 5 + 65536)
        #expect(try encode(Fields(count: 15)).prefix(4) == bytes("8f a2 6b30"))
        #expect(try encode(Fields(count: 16)).prefix(6) == bytes("de 0010 a2 6b30"))
        #expect(try encode(Fields(count: 65536)).prefix(8) == bytes("df 00010000 a2 6b30"))
        #expect(try decode([String: Int].self, encode(Fields(count: 65536))).count == 65536)
    }
}

/// A key made from a number, but known by its name.
struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ index: Int) { self.stringValue = "k\(index)" }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
