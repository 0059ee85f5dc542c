/// The numbers that this library adds to the MessagePack format; <doc:MessagePack> explains them to other languages.
package enum MessagePackFormat {
    /// The extension type that MessagePack itself reserves for points in time.
    package static let timestampType: Int8 = -1

    /// `A`: the value travels beside the message; the body is its index, and for number arrays the element code.
    package static let attachmentType: Int8 = 0x41

    /// Bytes from which a byte string or number array is offered to the attachment sink.
    package static let attachmentThreshold = 64 * 1024

    /// Elements from which a number array is written as one extension value. Below it an ordinary array is about as
    /// fast, often smaller, and needs no explanation to a reader.
    package static let numericArrayThreshold = 32

    /// How deep containers may nest unless a decoder is told otherwise.
    package static let defaultNestingDepth = 128
}

/// The element types of raw number arrays. The codes are those of Python's `struct` and `array` modules and of NumPy,
/// so `numpy.frombuffer(body, "<" + chr(code))` reads any of them.
enum NumericElementCode: UInt8 {
    case int8 = 0x62  // b
    case uint8 = 0x42  // B; never written: byte arrays are `bin`
    case int16 = 0x68  // h
    case uint16 = 0x48  // H
    case int32 = 0x69  // i
    case uint32 = 0x49  // I
    case int64 = 0x71  // q
    case uint64 = 0x51  // Q
    case float = 0x66  // f
    case double = 0x64  // d
}
