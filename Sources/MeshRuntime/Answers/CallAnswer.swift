import FoundationEssentials

/// What became of a call, encoded as it goes back to its caller, and as it is kept for one that asks again. It holds the
/// actors whose handles are in it.
///
/// MessagePack: `[true, result, attachments]` or `[false, type or nil, error]`.
enum CallAnswer: Hashable, Sendable {
    case result(EncodedValue, attachments: [Data])
    case failure(EncodedError)

    /// About how much memory it takes.
    var byteCount: Int {
        switch self {
        case .result(let value, let attachments): attachments.reduce(value.count + 64) { $0 + $1.count }
        case .failure(let error): error.data.count + 128
        }
    }
}

extension CallAnswer: Codable {
    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        if try container.decode(Bool.self) {
            let value = try container.decode(EncodedValue.self)
            self = .result(value, attachments: try container.decode([Data].self))
        } else {
            let typeName = try container.decode(String?.self)
            self = .failure(EncodedError(typeName: typeName, data: try container.decode(Data.self)))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        switch self {
        case .result(let value, let attachments):
            try container.encode(true)
            try container.encode(value)
            try container.encode(attachments)
        case .failure(let error):
            try container.encode(false)
            try container.encode(error.typeName)
            try container.encode(error.data)
        }
    }
}
