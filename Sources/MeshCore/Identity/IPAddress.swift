import Glibc

/// An address of version 4 or 6 of the internet protocol.
package struct IPAddress: Hashable, Sendable {
    /// Four bytes or sixteen.
    package let bytes: [UInt8]

    /// Reads `10.0.0.7`, `fd00::7` or `[fd00::7]`; an IPv4 address in IPv6's clothes (`::ffff:10.0.0.7`) is taken out of
    /// them. Nil for a name, and for an address with a zone.
    package init?(_ text: some StringProtocol) {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let plain = isBracketed ? String(text.dropFirst().dropLast()) : String(text)
        var four = in_addr()
        if !isBracketed, inet_pton(AF_INET, plain, &four) == 1 {
            self.init(bytes: withUnsafeBytes(of: &four) { Array($0) })
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, plain, &six) == 1 else { return nil }
        self.init(bytes: withUnsafeBytes(of: &six) { Array($0) })
    }

    /// From four or sixteen bytes.
    package init(bytes: [UInt8]) {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        self.bytes = bytes.count == 16 && bytes.starts(with: mapped) ? Array(bytes.suffix(4)) : bytes
    }

    package var isVersion6: Bool { self.bytes.count == 16 }
    /// Whether it stands for every address of a host.
    package var isUnspecified: Bool { self.bytes.allSatisfy { $0 == 0 } }
    package var isLoopback: Bool {
        self.isVersion6 ? self.bytes.dropLast().allSatisfy { $0 == 0 } && self.bytes[15] == 1 : self.bytes[0] == 127
    }
    /// Whether it is good for one wire only, so that others cannot use it without knowing by which of theirs.
    package var isLinkLocal: Bool {
        self.isVersion6
            ? self.bytes[0] == 0xfe && self.bytes[1] & 0xc0 == 0x80 : self.bytes[0] == 169 && self.bytes[1] == 254
    }

    /// As it is written in an endpoint: IPv6 in brackets.
    package var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = self.bytes.withUnsafeBytes {
            inet_ntop(self.isVersion6 ? AF_INET6 : AF_INET, $0.baseAddress, &text, socklen_t(text.count))
        }
        let plain = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return self.isVersion6 ? "[\(plain)]" : plain
    }
}

/// The network that one of a host's interfaces is in, and the host's own address there.
package struct IPNetwork: Hashable, Sendable {
    package let address: IPAddress
    /// How many bits all addresses of the network have in common.
    package let prefix: Int

    package init(address: IPAddress, prefix: Int) {
        self.address = address
        self.prefix = prefix
    }

    package func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == self.address.bytes.count else { return false }
        let (whole, rest) = self.prefix.quotientAndRemainder(dividingBy: 8)
        guard whole <= self.address.bytes.count, self.address.bytes.prefix(whole) == other.bytes.prefix(whole) else {
            return false
        }
        guard rest > 0, whole < self.address.bytes.count else { return true }
        return (self.address.bytes[whole] ^ other.bytes[whole]) >> UInt8(8 - rest) == 0
    }
}
