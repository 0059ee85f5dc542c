/// The parameters of a query or of a form, decoded. Of a name that comes twice the first counts, and all of them where
/// several make sense.
struct QueryParameters: Sendable, Hashable {
    private var values: [String: [String]] = [:]

    /// More parameters than any page has are ignored.
    private static let limit = 64

    init() {}

    /// Reads `a=1&b=x+y`; what is not encoded right is taken as it stands.
    init(_ text: some StringProtocol) {
        for pair in text.split(separator: "&").prefix(Self.limit) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = Self.decode(parts[0])
            self.values[name, default: []].append(parts.count > 1 ? Self.decode(parts[1]) : "")
        }
    }

    /// The value of a parameter; nil when it is missing or empty.
    subscript(_ name: String) -> String? { self.values[name]?.first.flatMap { $0.isEmpty ? nil : $0 } }

    /// All values of a parameter that are not empty.
    func all(_ name: String) -> [String] { self.values[name]?.filter { !$0.isEmpty } ?? [] }

    /// Whether the parameter is there, with whatever value.
    func has(_ name: String) -> Bool { self.values[name] != nil }

    private static func decode(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
                guard digits.count == 2 else {
                    bytes.append(byte)
                    continue
                }
                bytes.append(UInt8(digits[0] << 4 | digits[1]))
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
