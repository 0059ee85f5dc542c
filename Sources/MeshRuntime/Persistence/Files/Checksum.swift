import CMeshPlatform
package import FoundationEssentials

/// The checksum CRC-32C (Castagnoli), which finds any single burst of damage of up to 32 bits.
package enum Checksum {
    package static func crc32c(_ bytes: some ContiguousBytes) -> UInt32 {
        bytes.withUnsafeBytes { cmesh_crc32c($0.baseAddress, $0.count, 0) }
    }
}
