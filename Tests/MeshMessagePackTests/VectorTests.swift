import Foundation
import MeshMessagePack
import Testing

/// The public test suite of the format: every form of a value must decode to it, and encoding it must give one of them.
@Suite struct VectorTests {
    @Test("every form of every value decodes to that value")
    func decodes() throws {
        for vector in try Vector.all() {
            for form in vector.forms {
                let value = try MessagePackDecoder().decode(MessagePackValue.self, from: form)
                #expect(vector.accepts(value), "\(vector.name): \(Array(form)) gave \(value)")
            }
        }
    }

    @Test("every value encodes to one of its forms")
    func encodes() throws {
        for vector in try Vector.all() {
            let data = try MessagePackEncoder().encode(vector.value)
            #expect(vector.forms.contains(data), "\(vector.name): \(Array(data))")
        }
    }

    @Test("integers and floats decode to Swift's number types from every form")
    func decodesNumbers() throws {
        for vector in try Vector.all() {
            for form in vector.forms {
                switch vector.value {
                case .int(let expected): #expect(try MessagePackDecoder().decode(Int64.self, from: form) == expected)
                case .uint(let expected): #expect(try MessagePackDecoder().decode(UInt64.self, from: form) == expected)
                case .double(let expected):
                    #expect(try MessagePackDecoder().decode(Double.self, from: form) == expected)
                    #expect(try MessagePackDecoder().decode(Float.self, from: form) == Float(expected))
                default: break
                }
            }
        }
    }

    @Test("timestamps decode to dates and encode to one of their forms")
    func timestamps() throws {
        for vector in try Vector.all(in: "50.timestamp.yaml") {
            guard let (seconds, nanoseconds) = vector.timestamp else { continue }
            for form in vector.forms {
                let date = try MessagePackDecoder().decode(Date.self, from: form)
                let expected = Double(seconds - 978_307_200) + Double(nanoseconds) / 1e9
                #expect(date.timeIntervalSinceReferenceDate == expected, "\(vector.name)")
                // A double holds a fraction of a second only to a tenth of a microsecond in our century.
                let again = try MessagePackDecoder().decode(Date.self, from: MessagePackEncoder().encode(date))
                #expect(again == date, "\(vector.name)")
                if nanoseconds == 0 {
                    #expect(try vector.forms.contains(MessagePackEncoder().encode(date)), "\(vector.name)")
                }
            }
        }
    }

    @Test("no truncated form decodes")
    func truncated() throws {
        for vector in try Vector.all() {
            for form in vector.forms {
                for length in 0..<form.count {
                    #expect(throws: DecodingError.self) {
                        try MessagePackDecoder().decode(MessagePackValue.self, from: form.prefix(length))
                    }
                }
            }
        }
    }
}

/// One value of the suite and its forms.
struct Vector {
    let name: String
    let value: MessagePackValue
    let timestamp: (seconds: Int64, nanoseconds: UInt32)?
    let forms: [Data]

    /// Numbers may come in integer and float forms; all others are equal as they are.
    func accepts(_ value: MessagePackValue) -> Bool {
        if value == self.value || self.timestamp != nil { return true }
        switch (self.value, value) {
        case (.int(let a), .float(let b)): return Float(a) == b
        case (.int(let a), .double(let b)): return Double(a) == b
        case (.uint(let a), .double(let b)): return Double(a) == b
        case (.uint(let a), .float(let b)): return Float(a) == b
        case (.double(let a), .float(let b)): return Float(a) == b
        default: return false
        }
    }

    static func all(in group: String? = nil) throws -> [Vector] {
        let url = try #require(
            Bundle.module.url(forResource: "msgpack-test-suite", withExtension: "json", subdirectory: "Resources")
        )
        let groups = try JSONDecoder().decode([String: [Entry]].self, from: Data(contentsOf: url))
        return groups.sorted { $0.key < $1.key }.filter { group == nil || group == $0.key }.flatMap { name, entries in
            entries.enumerated().map { $0.element.vector("\(name)[\($0.offset)]") }
        }
    }

    static func bytes(_ hex: String) -> Data {
        Data(hex.split(separator: "-").compactMap { UInt8($0, radix: 16) })
    }

    /// An entry of the file: forms, and the value under a key that names its type.
    private struct Entry: Decodable {
        let forms: [Data]
        let value: MessagePackValue
        var timestamp: (Int64, UInt32)?

        enum CodingKeys: String, CodingKey {
            case msgpack, `nil`, bool, binary, number, bignum, string, array, map, timestamp, ext
        }

        func vector(_ name: String) -> Vector {
            Vector(name: name, value: self.value, timestamp: self.timestamp, forms: self.forms)
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            self.forms = try fields.decode([String].self, forKey: .msgpack).map(Vector.bytes)
            if fields.contains(.bignum) {
                let text = try fields.decode(String.self, forKey: .bignum)
                self.value = Int64(text).map { .int($0) } ?? .uint(UInt64(text) ?? 0)
            } else if let value = try fields.decodeIfPresent(Bool.self, forKey: .bool) {
                self.value = .bool(value)
            } else if let value = try fields.decodeIfPresent(String.self, forKey: .binary) {
                self.value = .binary(Vector.bytes(value))
            } else if let value = try fields.decodeIfPresent(String.self, forKey: .string) {
                self.value = .string(value)
            } else if fields.contains(.timestamp) {
                var parts = try fields.nestedUnkeyedContainer(forKey: .timestamp)
                let timestamp = (try parts.decode(Int64.self), try parts.decode(UInt32.self))
                self.timestamp = timestamp
                self.value = .ext(Self.timestampExtension(timestamp.0, timestamp.1))
            } else if fields.contains(.ext) {
                var parts = try fields.nestedUnkeyedContainer(forKey: .ext)
                let type = try parts.decode(Int8.self)
                self.value = .ext(.init(type: type, data: Vector.bytes(try parts.decode(String.self))))
            } else if let key = [CodingKeys.number, .array, .map].first(where: fields.contains) {
                self.value = try fields.decode(MessagePackValue.self, forKey: key)
            } else {
                self.value = .null
            }
        }

        /// The format's three forms, shortest first, written out independently of the encoder.
        private static func timestampExtension(_ seconds: Int64, _ nanoseconds: UInt32) -> MessagePackExtension {
            let body: Data
            if let short = UInt32(exactly: seconds), nanoseconds == 0 {
                body = withUnsafeBytes(of: short.bigEndian) { Data($0) }
            } else if seconds >= 0, seconds < 1 << 34 {
                body = withUnsafeBytes(of: (UInt64(nanoseconds) << 34 | UInt64(seconds)).bigEndian) { Data($0) }
            } else {
                body =
                    withUnsafeBytes(of: nanoseconds.bigEndian) { Data($0) }
                    + withUnsafeBytes(of: seconds.bigEndian) { Data($0) }
            }
            return MessagePackExtension(type: -1, data: body)
        }
    }
}
