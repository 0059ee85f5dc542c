/// `tcp://HOST:PORT`, in its parts.
package struct TCPEndpoint: Hashable, Sendable {
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    package var host: String
    /// A number; to bind also `*`, which takes a free one, or a range of them: `6000-6099`.
    package var port: String
    /// The key that whoever connects has to expect there, when it is not the members': what comes after `#`.
    package var key: String?

    package init(host: String, port: String, key: String? = nil) {
        self.host = host
        self.port = port
        self.key = key
    }

    /// Reads an endpoint. Nil for one of another kind, and for one without a host or with a port that cannot be.
    package init?(_ text: String) {
        guard text.hasPrefix("tcp://") else { return nil }
        var place = text.dropFirst("tcp://".count)
        if let mark = place.firstIndex(of: "#") {
            self.key = String(place[place.index(after: mark)...])
            place = place[..<mark]
        }
        guard let colon = place.lastIndex(of: ":"), colon != place.startIndex else { return nil }
        self.host = String(place[..<colon])
        self.port = String(place[place.index(after: colon)...])
        guard self.port == "*" || self.ports != nil else { return nil }
    }

    /// As it is written.
    package var text: String { "tcp://\(self.host):\(self.port)\(self.key.map { "#\($0)" } ?? "")" }

    /// The address that the host is; nil when it is a name.
    package var address: IPAddress? { IPAddress(self.host) }

    /// Whether it stands for every interface of a host.
    package var isWildcard: Bool { self.host == "*" || self.address?.isUnspecified == true }

    /// Whether the host is an IPv6 address as it is written in an endpoint; with a zone too, as in `[fe80::1%eth0]`.
    package var isBracketed: Bool {
        guard self.host.hasPrefix("["), self.host.hasSuffix("]") else { return false }
        let plain = self.host.dropFirst().dropLast().prefix { $0 != "%" }
        return IPAddress("[\(plain)]") != nil
    }

    /// Whether any of several ports will do.
    package var hasRange: Bool { self.port.contains("-") }

    /// The ports that it allows; nil when that is any free one.
    package var ports: ClosedRange<Int>? {
        let ends = self.port.split(separator: "-", omittingEmptySubsequences: false).map { Self.number($0) }
        guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else {
            return nil
        }
        return first...last
    }

    /// Digits only: `Int` takes a sign as well.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text),
            (1...65_535).contains(number)
        else { return nil }
        return number
    }

    /// The endpoints to try one after the other when it is to be bound: one for each port of a range.
    package var bindable: [String] {
        guard let ports, ports.count > 1 else { return [self.text] }
        return ports.map { TCPEndpoint(host: self.host, port: "\($0)", key: self.key).text }
    }

    /// The same for another process of the same host: at a port of its own, out of the same range if it is one.
    package var forAnother: TCPEndpoint {
        TCPEndpoint(host: self.host, port: (self.ports?.count ?? 1) > 1 ? self.port : "*")
    }
}
