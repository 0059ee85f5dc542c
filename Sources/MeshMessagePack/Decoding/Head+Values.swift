/// Conversions of a scalar head to Swift's types.
extension Head {
    /// The application's or the format's number of an extension value.
    var extensionType: Int8 { Int8(truncatingIfNeeded: self.bits) }

    @inline(__always)
    func bool() throws(Flaw) -> Bool {
        guard self.kind == .bool else { throw .mismatch(found: self.kind) }
        return self.bits != 0
    }

    /// Any width and either sign, and floats without a fraction, as long as the type holds the value exactly.
    @inline(__always)
    func integer<T: FixedWidthInteger>(as type: T.Type) throws(Flaw) -> T {
        let value: T?
        switch self.kind {
        case .positive: value = T(exactly: self.bits)
        case .negative: value = T(exactly: Int64(bitPattern: self.bits))
        case .float32: value = T(exactly: Float(bitPattern: UInt32(truncatingIfNeeded: self.bits)))
        case .float64: value = T(exactly: Double(bitPattern: self.bits))
        default: throw .mismatch(found: self.kind)
        }
        guard let value else { throw .numberOutOfRange }
        return value
    }

    /// Floats of either width, and integers that a double holds exactly.
    @inline(__always)
    func double() throws(Flaw) -> Double {
        let value: Double?
        switch self.kind {
        case .float64: return Double(bitPattern: self.bits)
        case .float32: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: self.bits)))
        case .positive: value = Double(exactly: self.bits)
        case .negative: value = Double(exactly: Int64(bitPattern: self.bits))
        default: throw .mismatch(found: self.kind)
        }
        guard let value else { throw .numberOutOfRange }
        return value
    }

    /// Floats of either width, and integers that a float holds exactly. A 64-bit float is rounded to the nearest, since
    /// many languages write no other; one too large for a float is an error and never becomes infinity.
    @inline(__always)
    func float() throws(Flaw) -> Float {
        let value: Float?
        switch self.kind {
        case .float32: return Float(bitPattern: UInt32(truncatingIfNeeded: self.bits))
        case .float64:
            let wide = Double(bitPattern: self.bits)
            let narrow = Float(wide)
            value = narrow.isInfinite && wide.isFinite ? nil : narrow
        case .positive: value = Float(exactly: self.bits)
        case .negative: value = Float(exactly: Int64(bitPattern: self.bits))
        default: throw .mismatch(found: self.kind)
        }
        guard let value else { throw .numberOutOfRange }
        return value
    }

    @inline(__always)
    func string(in bytes: UnsafeRawBufferPointer) throws(Flaw) -> String {
        guard self.kind == .string else { throw .mismatch(found: self.kind) }
        let body = UnsafeRawBufferPointer(rebasing: bytes[self.body..<self.end])
        let utf8 = body.assumingMemoryBound(to: UInt8.self)
        // Short ASCII, as names mostly are, goes a way that needs no look-up of generic types, at a third of the time.
        if utf8.count <= 64, utf8.allSatisfy({ $0 < 0x80 }) { return String(decoding: utf8, as: UTF8.self) }
        guard let string = String(validating: utf8, as: UTF8.self) else { throw .invalidUTF8 }
        return string
    }
}
