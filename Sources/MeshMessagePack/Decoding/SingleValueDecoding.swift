/// A single value being read.
struct SingleValueDecoding: SingleValueDecodingContainer {
    let decoder: ValueDecoder

    var codingPath: [any CodingKey] { self.decoder.codingPath }

    func decodeNil() -> Bool {
        (try? self.decoder.session.head(at: self.decoder.position).kind == .null) ?? false
    }

    func decode(_ type: Bool.Type) throws -> Bool {
        try self.scalar(type) { head throws(Flaw) in try head.bool() }
    }

    func decode(_ type: String.Type) throws -> String {
        try self.scalar(type) { head throws(Flaw) in try self.decoder.session.string(head) }
    }

    func decode(_ type: Double.Type) throws -> Double {
        try self.scalar(type) { head throws(Flaw) in try head.double() }
    }

    func decode(_ type: Float.Type) throws -> Float {
        try self.scalar(type) { head throws(Flaw) in try head.float() }
    }

    func decode(_ type: Int.Type) throws -> Int {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: Int8.Type) throws -> Int8 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: Int16.Type) throws -> Int16 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: Int32.Type) throws -> Int32 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: Int64.Type) throws -> Int64 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: UInt.Type) throws -> UInt {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: UInt8.Type) throws -> UInt8 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: UInt16.Type) throws -> UInt16 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: UInt32.Type) throws -> UInt32 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode(_ type: UInt64.Type) throws -> UInt64 {
        try self.scalar(type) { head throws(Flaw) in try head.integer(as: type) }
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try self.decoder.place(self.decoder.position, .none).read(type)
    }

    @inline(__always)
    private func scalar<R>(_ type: Any.Type, _ read: (Head) throws(Flaw) -> R) throws -> R {
        do throws(Flaw) {
            return try read(self.decoder.session.head(at: self.decoder.position))
        } catch {
            throw self.decoder.failure(error, expected: type)
        }
    }
}
