import MeshCore

/// What an address of a mesh looks like, so that a slip is told before anything is tried.
package enum MeshAddressSyntax {
    /// - Throws: a ``UsageError`` unless `text` is an address that can be connected to, like `tcp://10.0.0.7:4711`.
    package static func check(_ text: String) throws(UsageError) {
        guard Self.isAddress(text), !text.hasSuffix(":*"), TCPEndpoint(text)?.hasRange != true else {
            throw UsageError("\"\(text)\" is no address. Addresses look like tcp://10.0.0.7:4711.")
        }
    }

    /// - Throws: a ``UsageError`` unless `text` is an address that can be bound; its port may be `*`, or a range.
    package static func checkBinding(_ text: String) throws(UsageError) {
        guard Self.isAddress(text) else {
            throw UsageError(
                "\"\(text)\" is no address to bind. Addresses look like tcp://127.0.0.1:4711; port * takes a free one, "
                    + "6000-6099 one of those; IPv6 is written in brackets, as in tcp://[::1]:4711.")
        }
    }

    /// - Throws: a ``UsageError`` unless `text` is an address at which others can be told to connect; its port may be
    ///   `*`.
    package static func checkAdvertised(_ text: String) throws(UsageError) {
        guard text.hasPrefix("tcp://"), Self.isAddress(text), let endpoint = TCPEndpoint(text), !endpoint.hasRange
        else {
            throw UsageError(
                "\"\(text)\" is no address that others can connect to. Advertise tcp://HOST:PORT, such as "
                    + "tcp://mesh.example:4711; port * is the one that was bound.")
        }
        guard endpoint.isWildcard || Self.isHost(endpoint.host) else {
            throw UsageError(
                "\"\(text)\" cannot be connected to: \"\(endpoint.host)\" is neither an address nor a name of a host. "
                    + "Advertise tcp://HOST:PORT, such as tcp://mesh.example:4711.")
        }
        guard !endpoint.isWildcard else {
            throw UsageError(
                "\"\(text)\" means all interfaces, and nobody can connect to that. Advertise the name or the address by "
                    + "which others reach this host, and leave \(endpoint.host) to --bind.")
        }
    }

    /// Whether a text is an IP address as it is written in an endpoint, or can be a name: parts of letters, digits, `-`
    /// and `_` between single dots, of which the last is no number.
    private static func isHost(_ text: String) -> Bool {
        if TCPEndpoint(host: text, port: "*").isBracketed || IPAddress(text) != nil { return true }
        let name = text.hasSuffix(".") ? text.dropLast() : text[...]
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, let last = parts.last, !last.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return false
        }
        return parts.allSatisfy { part in
            (1...63).contains(part.utf8.count) && !part.hasPrefix("-") && !part.hasSuffix("-")
                && part.unicodeScalars.allSatisfy {
                    $0.isASCII && ($0.properties.isAlphabetic || (48...57).contains($0.value) || $0 == "-" || $0 == "_")
                }
        }
    }

    private static func isAddress(_ text: String) -> Bool {
        if text.hasPrefix("ipc://") { return text.utf8.count > "ipc://".utf8.count }
        guard let endpoint = TCPEndpoint(text), endpoint.key == nil else { return false }
        // What has colons is an IPv6 address, and has brackets so that its end is seen.
        return endpoint.host.contains(":") || endpoint.host.contains("[") ? endpoint.isBracketed : true
    }
}
