/// One step of a coding path, kept in the cheapest form until somebody asks for the path.
enum PathKey {
    case none
    case key(any CodingKey)
    case index(Int)
    /// A dictionary's key of whatever type, described only if there is an error.
    case value(Any)
    /// The same while decoding: the key is at this offset.
    case written(DecodingSession, offset: Int)

    var codingKey: (any CodingKey)? {
        switch self {
        case .none: nil
        case .key(let key): key
        case .index(let index): PathIndex(index)
        case .value(let value): PathIndex(name: "\(value)")
        case .written(let session, let offset):
            (try? Head(session.bytes, at: offset)).map { PathIndex(describing: $0, in: session.bytes) }
        }
    }
}

/// A position in an array, or a key of a map known only by its number, as a step of a coding path.
struct PathIndex: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ index: Int) {
        self.stringValue = "Index \(index)"
        self.intValue = index
    }

    init?(intValue: Int) {
        self.init(number: intValue)
    }

    init(number: Int) {
        self.stringValue = String(number)
        self.intValue = number
    }

    init?(stringValue: String) {
        self.stringValue = stringValue
        self.intValue = nil
    }

    init(name: String) {
        self.stringValue = name
        self.intValue = nil
    }

    /// A map's key as far as it can be shown: names and numbers as such, anything else by its kind.
    init(describing key: Head, in bytes: UnsafeRawBufferPointer) {
        if let name = try? key.string(in: bytes) {
            self.init(name: name)
        } else if key.kind.isInteger, let number = try? key.integer(as: Int.self) {
            self.init(number: number)
        } else {
            self.init(name: "a key that is \(key.kind.rawValue)")
        }
    }

    /// Where `superEncoder()` and `superDecoder()` put the superclass's part.
    static let superKey = PathIndex(name: "super")
}
