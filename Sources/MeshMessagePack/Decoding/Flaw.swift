/// What is wrong with the bytes, before anyone has said where: readers throw this small value, and whoever knows the
/// coding path turns it into a `DecodingError`.
enum Flaw: Error {
    /// The input ends inside a value, or before one.
    case truncated
    /// A header announces more items or bytes than the input can hold.
    case announcedTooMuch
    /// The byte 0xC1, which the format never uses.
    case reservedByte
    case nestedTooDeeply(limit: Int)
    case invalidUTF8
    case mismatch(found: Head.Kind)
    case numberOutOfRange
    case invalid(String)

    func error(expected: Any.Type, path: @autoclosure () -> [any CodingKey]) -> DecodingError {
        switch self {
        case .mismatch(.null):
            return .valueNotFound(
                expected,
                .init(codingPath: path(), debugDescription: "Expected \(expected), found nil.", underlyingError: nil)
            )
        case .mismatch(let found):
            return .typeMismatch(
                expected,
                .init(codingPath: path(), debugDescription: "Expected \(expected), found \(found.rawValue).")
            )
        case .numberOutOfRange:
            return .dataCorrupted(
                .init(codingPath: path(), debugDescription: "The number cannot be represented exactly in \(expected).")
            )
        default:
            return .dataCorrupted(.init(codingPath: path(), debugDescription: self.description))
        }
    }
}

extension Flaw: CustomStringConvertible {
    var description: String {
        switch self {
        case .truncated: "The input ends inside a value."
        case .announcedTooMuch: "A header announces more than the input holds."
        case .reservedByte: "The byte 0xC1 is not MessagePack."
        case .nestedTooDeeply(let limit): "Containers nest deeper than \(limit)."
        case .invalidUTF8: "A string is not valid UTF-8."
        case .mismatch(let found): "Found \(found.rawValue) where it cannot be."
        case .numberOutOfRange: "A number is out of range."
        case .invalid(let reason): reason
        }
    }
}
