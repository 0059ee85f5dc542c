public import MeshCore

/// Where a dashboard listens, and whom it answers.
public struct DashboardConfiguration: Sendable {
    /// The address of this host at which it listens: a loopback address, unless ``isBehindProxy``.
    public var host: String
    /// Its port; 0 for a free one.
    public var port: Int
    /// Names by which browsers may call it, beside `localhost`, the loopback addresses and ``host``.
    public var allowedHosts: [String]
    /// Whether something in front of it keeps others out. Without that it listens on loopback addresses only: it shows
    /// everything to everybody who reaches it, without encryption.
    public var isBehindProxy: Bool
    /// Whether one has to sign in to look, as one has to change something.
    public var isPrivate: Bool
    /// The file of the mesh's key, against which a sign-in is checked; nil in a mesh without one. It has to be the one
    /// with which the process has joined.
    public var keyFile: String?
    /// What pages call the mesh; nil: the address at which this process found its broker.
    public var meshName: String?
    /// How long the mesh may take to answer.
    public var patience: Duration
    /// How often a page that is open is made anew.
    public var refreshInterval: Duration

    /// The port at which those who come from Ray look first.
    public static let standardPort = 8265

    /// On 127.0.0.1, at the standard port.
    public init(
        host: String = "127.0.0.1", port: Int = standardPort, allowedHosts: [String] = [], isBehindProxy: Bool = false,
        isPrivate: Bool = false,
        keyFile: String? = nil, meshName: String? = nil, patience: Duration = .seconds(3),
        refreshInterval: Duration = .seconds(1)
    ) {
        self.host = host
        self.port = port
        self.allowedHosts = allowedHosts
        self.isBehindProxy = isBehindProxy
        self.isPrivate = isPrivate
        self.keyFile = keyFile
        self.meshName = meshName
        self.patience = patience
        self.refreshInterval = refreshInterval
    }

    /// Reads `127.0.0.1:8265`, `[::1]:*`, `8265` as host and port.
    ///
    /// - Throws: `invalidArgument`.
    public mutating func bind(to text: String) throws(MeshError) {
        let invalid = MeshError(
            .invalidArgument,
            "\"\(text)\" is no address for a dashboard. Addresses look like 127.0.0.1:8265; port * takes a free one; IPv6 is "
                + "written in brackets, as in [::1]:8265.")
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let (host, port) = (parts.dropLast().joined(separator: ":"), String(parts.last ?? ""))
        guard parts.count > 1, !host.isEmpty, !host.contains("/"), !host.contains(where: \.isWhitespace) else {
            throw invalid
        }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        guard isBracketed || !host.contains(":") else { throw invalid }
        guard let number = port == "*" ? 0 : UInt16(port).map(Int.init) else { throw invalid }
        self.host = isBracketed ? String(host.dropFirst().dropLast()) : host
        self.port = number
    }

    /// Looks whether the address is one at which a dashboard may listen.
    ///
    /// - Throws: `invalidArgument` when others could reach it, and nobody has said that this is meant.
    public func check() throws(MeshError) {
        guard !self.isBehindProxy, !self.isLoopback else { return }
        throw MeshError(
            .invalidArgument,
            "\(self.host) is no loopback address. The dashboard shows everything to whoever reaches it, without encryption. "
                + "Bind 127.0.0.1 and come by a tunnel (ssh -L 8265:127.0.0.1:8265 HOST), or put a proxy with access "
                + "control in front of it and say so with --behind-proxy.")
    }

    private var isLoopback: Bool {
        self.host == "localhost" || IPAddress(self.host)?.isLoopback ?? false
    }

    /// As it stands in an address: IPv6 in brackets.
    var urlHost: String { self.host.contains(":") ? "[\(self.host)]" : self.host }
}
