/// What an address of a mesh looks like, so that a slip is told before anything is tried.
package enum MeshAddressSyntax {
    /// - Throws: a ``UsageError`` unless `text` is an address that can be connected to, like `tcp://10.0.0.7:4711`.
    package static func check(_ text: String) throws(UsageError) {
        guard Self.isAddress(text), !text.hasSuffix(":*") else {
            throw UsageError("\"\(text)\" is no address. Addresses look like tcp://10.0.0.7:4711.")
        }
    }

    /// - Throws: a ``UsageError`` unless `text` is an address that can be bound; its port may be `*`.
    package static func checkBinding(_ text: String) throws(UsageError) {
        guard Self.isAddress(text) else {
            throw UsageError(
                "\"\(text)\" is no address to bind. Addresses look like tcp://127.0.0.1:4711; port * takes a free one.")
        }
    }

    private static func isAddress(_ text: String) -> Bool {
        if text.hasPrefix("ipc://") { return text.utf8.count > "ipc://".utf8.count }
        guard text.hasPrefix("tcp://") else { return false }
        let place = text.dropFirst("tcp://".count)
        guard let colon = place.lastIndex(of: ":") else { return false }
        let host = place[..<colon]
        let port = place[place.index(after: colon)...]
        return !host.isEmpty && (port == "*" || (1...65_535).contains(Int(port) ?? 0))
    }
}
