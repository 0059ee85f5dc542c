/// The checksum CRC-32C (Castagnoli), which finds any single burst of damage of up to 32 bits.
enum Checksum {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82f6_3b78 }
    }

    static func crc32c(_ bytes: some Sequence<UInt8>, _ before: UInt32 = 0) -> UInt32 {
        ~bytes.reduce(~before) { value, byte in Self.table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8 }
    }
}
