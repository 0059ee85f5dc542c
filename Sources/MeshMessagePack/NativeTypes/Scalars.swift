internal import FoundationEssentials

extension NativelyEncodable {
    @inline(__always)
    static func load(_ value: UnsafeRawPointer) -> Self { value.assumingMemoryBound(to: Self.self).pointee }
}

extension NativelyDecodable {
    @inline(__always)
    static func store(_ value: Self, _ result: UnsafeMutableRawPointer) {
        result.initializeMemory(as: Self.self, to: value)
    }
}

/// An integer of any width, written in the shortest form.
protocol NativeInteger: NativelyEncodable, NativelyDecodable, FixedWidthInteger, NumericElement {}

extension NativeInteger {
    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        let value = self.load(value)
        if Self.isSigned {
            place.buffer.pack(Int64(value))
        } else {
            place.buffer.pack(UInt64(value))
        }
    }

    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        self.store(try place.scalar(Self.self) { head throws(Flaw) in try head.integer(as: Self.self) }, result)
    }
}

extension Int8: NativeInteger { static var elementCode: NumericElementCode { .int8 } }
extension Int16: NativeInteger { static var elementCode: NumericElementCode { .int16 } }
extension Int32: NativeInteger { static var elementCode: NumericElementCode { .int32 } }
extension Int64: NativeInteger { static var elementCode: NumericElementCode { .int64 } }
extension Int: NativeInteger { static var elementCode: NumericElementCode { .int64 } }
extension UInt8: NativeInteger { static var elementCode: NumericElementCode { .uint8 } }
extension UInt16: NativeInteger { static var elementCode: NumericElementCode { .uint16 } }
extension UInt32: NativeInteger { static var elementCode: NumericElementCode { .uint32 } }
extension UInt64: NativeInteger { static var elementCode: NumericElementCode { .uint64 } }
extension UInt: NativeInteger { static var elementCode: NumericElementCode { .uint64 } }

extension Float: NativelyEncodable, NativelyDecodable, NumericElement {
    static var elementCode: NumericElementCode { .float }

    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        place.buffer.pack(self.load(value))
    }

    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        self.store(try place.scalar(Self.self) { head throws(Flaw) in try head.float() }, result)
    }
}

extension Double: NativelyEncodable, NativelyDecodable, NumericElement {
    static var elementCode: NumericElementCode { .double }

    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        place.buffer.pack(self.load(value))
    }

    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        self.store(try place.scalar(Self.self) { head throws(Flaw) in try head.double() }, result)
    }
}

extension Bool: NativelyEncodable, NativelyDecodable {
    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        place.buffer.pack(self.load(value))
    }

    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        self.store(try place.scalar(Self.self) { head throws(Flaw) in try head.bool() }, result)
    }
}

extension String: NativelyEncodable, NativelyDecodable {
    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        guard place.buffer.pack(self.load(value)) else { throw place.tooLarge(Self.self) }
    }

    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        let session = place.session
        self.store(try place.scalar(Self.self) { head throws(Flaw) in try session.string(head) }, result)
    }
}

extension Optional: NativelyEncodable where Wrapped: Encodable {
    static func write(_ value: UnsafeRawPointer, to place: EncodingPlace) throws {
        switch self.load(value) {
        case .none: place.buffer.packNil()
        case .some(let wrapped): try place.write(wrapped)
        }
    }
}

extension Optional: NativelyDecodable where Wrapped: Decodable {
    static func read(into result: UnsafeMutableRawPointer, from place: DecodingPlace) throws {
        let isNil = try place.scalar(Self.self) { head throws(Flaw) in head.kind == .null }
        self.store(isNil ? .none : .some(try place.read(Wrapped.self)), result)
    }
}

extension DecodingPlace {
    @inline(__always)
    func scalar<R>(_ type: Any.Type, _ read: (Head) throws(Flaw) -> R) throws -> R {
        do throws(Flaw) {
            return try read(self.session.head(at: self.position))
        } catch {
            throw error.error(expected: type, path: self.codingPath)
        }
    }
}
