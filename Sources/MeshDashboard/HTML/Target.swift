/// A path of this site with a query: what links lead to. Its parts are escaped when it is written.
struct Target: Hashable, Sendable {
    var path: [String]
    var query: [(name: String, value: String)]

    init(_ path: String..., query: [(name: String, value: String)] = []) {
        self.path = path
        self.query = query.filter { !$0.value.isEmpty }
    }

    /// `/actors?text=a%20b`
    var text: String {
        var text = "/" + self.path.map(Self.encode).joined(separator: "/")
        for (index, parameter) in self.query.enumerated() {
            text += "\(index == 0 ? "?" : "&")\(Self.encode(parameter.name))=\(Self.encode(parameter.value))"
        }
        return text
    }

    private static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func == (left: Target, right: Target) -> Bool { left.text == right.text }

    func hash(into hasher: inout Hasher) { hasher.combine(self.text) }
}

extension HTML.StringInterpolation {
    mutating func appendInterpolation(_ target: Target) { self.appendInterpolation(target.text) }
}
