import Foundation
import MeshMessagePack

/// Bytes from a hexadecimal dump; spaces are ignored.
func bytes(_ hex: String) -> Data {
    let digits = hex.filter { !$0.isWhitespace }
    var data = Data()
    var index = digits.startIndex
    while index < digits.endIndex {
        let next = digits.index(index, offsetBy: 2)
        data.append(UInt8(digits[index..<next], radix: 16) ?? 0)
        index = next
    }
    return data
}

func encode<T: Encodable>(_ value: T) throws -> Data {
    try MessagePackEncoder().encode(value)
}

func decode<T: Decodable>(_ type: T.Type = T.self, _ data: Data) throws -> T {
    try MessagePackDecoder().decode(type, from: data)
}

func roundTrip<T: Codable>(_ value: T) throws -> T {
    try decode(T.self, encode(value))
}

extension DecodingError {
    var context: Context {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            context
        @unknown default: Context(codingPath: [], debugDescription: "")
        }
    }

    /// The coding path as `a.0.b`.
    var path: String {
        self.context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }

    var name: String {
        switch self {
        case .typeMismatch: "typeMismatch"
        case .valueNotFound: "valueNotFound"
        case .keyNotFound: "keyNotFound"
        case .dataCorrupted: "dataCorrupted"
        @unknown default: "unknown"
        }
    }
}
