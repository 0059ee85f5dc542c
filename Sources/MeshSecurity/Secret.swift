import CSodium
import Glibc
package import MeshCore

/// Thirty-two bytes that nobody else may see: kept between guard pages, out of core files and swap, and wiped at the
/// end.
///
/// `@unchecked Sendable`: written in `init`, before anybody else has it, and wiped in `deinit`, when nobody has it any more.
package final class Secret: @unchecked Sendable {
    package static let count = 32
    private let memory: UnsafeMutableRawPointer

    /// - Parameter fill: writes all of the bytes.
    /// - Throws: `systemFailure` when there is no such memory.
    package init(_ fill: (UnsafeMutablePointer<UInt8>) -> Void) throws(MeshError) {
        guard sodium_init() >= 0, let memory = sodium_malloc(Self.count) else {
            throw MeshError(.systemFailure, "There is no protected memory for a key: \(describe(errno)).")
        }
        self.memory = memory
        fill(memory.bindMemory(to: UInt8.self, capacity: Self.count))
        sodium_mprotect_readonly(memory)
    }

    deinit { sodium_free(self.memory) }

    /// The bytes, which must not be copied anywhere that outlives the call without need.
    package func withBytes<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        body(UnsafePointer(self.memory.assumingMemoryBound(to: UInt8.self)))
    }
}

extension Secret: CustomStringConvertible {
    /// Nothing of it.
    package var description: String { "(secret)" }
}

/// A key that may be seen by anybody.
package struct PublicKey: Hashable, Sendable {
    package let bytes: [UInt8]

    /// Nil unless there are 32 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Secret.count else { return nil }
        self.bytes = Array(bytes)
    }
}

extension PublicKey: CustomStringConvertible {
    /// 64 hexadecimal digits.
    package var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: self.bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Reads what `description` writes.
    package init?(_ text: some StringProtocol) {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 2 * Secret.count, text.utf8.count == digits.count else { return nil }
        self.init(stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
    }
}

/// An X25519 key pair.
package struct KeyPair: Sendable {
    package let secret: Secret
    package let publicKey: PublicKey

    /// - Throws: `systemFailure` when libsodium does not start.
    package init(secret: Secret) throws(MeshError) {
        var bytes = [UInt8](repeating: 0, count: Secret.count)
        let isMade = secret.withBytes { crypto_scalarmult_base(&bytes, $0) == 0 }
        guard isMade, let key = PublicKey(bytes) else {
            throw MeshError(.systemFailure, "libsodium could not make a key pair.")
        }
        self.secret = secret
        self.publicKey = key
    }
}
