import MeshCore

/// Bytes of a hexadecimal dump; spaces and line breaks are ignored.
func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// The dump of bytes, without spaces.
func hex(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef")
    return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}

/// What a body writes, as a dump.
func written(_ body: (WireBuffer) -> Void) -> String {
    let buffer = WireBuffer()
    body(buffer)
    return hex(Array(buffer.bytes))
}

/// Reads from bytes that are as long as the array and not one longer.
func reading<Result>(_ bytes: [UInt8], _ body: (inout WireReader) throws -> Result) rethrows -> Result {
    // An allocation of the exact size, so that reading past the end is a fault that sanitizers see.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    var reader = WireReader(UnsafeRawBufferPointer(buffer))
    return try body(&reader)
}
