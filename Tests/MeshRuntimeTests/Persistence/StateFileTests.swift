import FoundationEssentials
import Testing

@testable import MeshRuntime

@Suite struct StateFileTests {
    private let key = StateKey(type: "Bank.Account", key: "savings")

    @Test("the checksum is CRC-32C")
    func checksum() {
        #expect(Checksum.crc32c(Array("123456789".utf8)) == 0xe306_9283)
        #expect(Checksum.crc32c([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(Checksum.crc32c([UInt8]()) == 0)
    }

    @Test("a file holds what was put into it", arguments: [0, 1, 300, 70_000])
    func roundTrip(size: Int) throws {
        let file = StateFile(key: self.key, state: Data((0..<size).map { UInt8(truncatingIfNeeded: $0) }))
        #expect(try StateFile(key: self.key, reading: file.bytes) == file)
    }

    @Test("a file is refused when it is truncated anywhere or longer than it was")
    func truncated() {
        let bytes = StateFile(key: self.key, state: Data("ninety-nine".utf8)).bytes
        for count in 0..<bytes.count {
            #expect(throws: StateStoreError.self) { try StateFile(key: self.key, reading: bytes.prefix(count)) }
        }
        #expect(throws: StateStoreError.self) { try StateFile(key: self.key, reading: bytes + [0]) }
    }

    @Test("a file is refused when any bit of it has changed")
    func damaged() {
        let bytes = StateFile(key: self.key, state: Data("ninety-nine".utf8)).bytes
        for index in 0..<bytes.count {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[damaged.startIndex + index] ^= 1 << bit
                let error = #expect(throws: StateStoreError.self) { try StateFile(key: self.key, reading: damaged) }
                #expect(error?.code == .damaged)
            }
        }
    }

    @Test("the file of another actor is refused, and says whose it is")
    func another() {
        let bytes = StateFile(key: StateKey(type: "Bank.Account", key: "other"), state: Data()).bytes
        let error = #expect(throws: StateStoreError.self) { try StateFile(key: self.key, reading: bytes) }
        #expect(error?.message.contains("other") == true)
    }
}
