/// Which requests are answered at all. A browser sends requests for any page that its user opens, so that a request comes
/// from this host says nothing.
struct RequestPolicy: Sendable {
    /// The hosts by which this dashboard may be called, in lower case, IPv6 in brackets.
    private let hosts: Set<String>

    /// - Parameter hosts: those beside the names and addresses of the host itself.
    init(allowing hosts: [String] = []) {
        self.hosts = Set(["localhost", "127.0.0.1", "[::1]"] + hosts.map(Self.host(named:)))
    }

    /// What a policy looks at.
    struct Facts: Sendable {
        /// The host that was called, with its port, as the browser says.
        var authority: String?
        /// Whether it may change something.
        var isChange: Bool
        var origin: String?
        var fetchSite: String?
        var fetchMode: String?
    }

    /// Why a request is not answered; nil when it is.
    func refusal(_ request: Facts) -> String? {
        // Another site's name may be made to lead here (DNS rebinding): then its pages are of our origin, as far as a
        // browser knows. It still says by which name it came.
        guard let authority = request.authority, let host = Self.host(of: authority), self.hosts.contains(host) else {
            return "This dashboard is not known by the name \"\(request.authority ?? "")\". Open it by its address, or "
                + "start it with --allow-host NAME."
        }
        if request.isChange { return self.refusalOfChange(request, authority) }
        // Other sites may lead here by a link, and do nothing else.
        guard let site = request.fetchSite, site != "same-origin", site != "none" else { return nil }
        return request.fetchMode == "navigate" ? nil : "Other sites may not read this one."
    }

    private func refusalOfChange(_ request: Facts, _ authority: String) -> String? {
        if let site = request.fetchSite, site != "same-origin" { return "Other sites may not change anything here." }
        guard let origin = request.origin else {
            return request.fetchSite == "same-origin"
                ? nil : "A change has to say from where it comes; your browser does not (no Origin)."
        }
        guard ["http://\(authority)", "https://\(authority)"].contains(origin.lowercased()) else {
            return "Other sites may not change anything here."
        }
        return nil
    }

    /// The host of `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`, in lower case; nil for anything else, which may be
    /// one host for us and another for whoever sent it.
    private static func host(of authority: String) -> String? {
        let text = authority.lowercased()
        let end = text.hasPrefix("[") ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":")
        let host = text[..<(end ?? text.endIndex)]
        let rest = text[host.endIndex...]
        guard rest.isEmpty || rest.first == ":" && Self.isPort(rest.dropFirst()) else { return nil }
        return Self.withoutDot(host)
    }

    private static func isPort(_ text: Substring) -> Bool {
        (1...5).contains(text.utf8.count)
            && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// The same for a name that was allowed, which may be an IPv6 address without brackets.
    private static func host(named name: String) -> String {
        if name.count(where: { $0 == ":" }) > 1, !name.hasPrefix("[") { return "[\(name.lowercased())]" }
        return self.host(of: name) ?? name.lowercased()
    }

    /// A name may be written with the dot at its end.
    private static func withoutDot(_ name: Substring) -> String {
        String(name.hasSuffix(".") ? name.dropLast() : name)
    }
}
