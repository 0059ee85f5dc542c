/// One process of a mesh. A process that starts again has another ID, so a `PeerID` is its own incarnation number.
public struct PeerID: Hashable, Sendable, Codable {
    package let number: UInt64

    package init(_ number: UInt64) { self.number = number }

    /// Stands for "whichever process listens there", used once to reach a broker of which only the address is known.
    package static let anyone = PeerID(0)

    /// Reads a single unsigned integer.
    public init(from decoder: any Decoder) throws {
        self.number = try decoder.singleValueContainer().decode(UInt64.self)
    }

    /// Writes a single unsigned integer.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.number)
    }
}

extension PeerID: CustomStringConvertible {
    /// Sixteen hexadecimal digits.
    public var description: String { hexadecimal(self.number) }
}

/// Names the set of processes that share a kernel, a process table and a file system: within it, `ipc` endpoints and
/// process descriptors mean the same to all.
package struct HostID: Hashable, Sendable, Codable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package init(from decoder: any Decoder) throws {
        self.text = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.text)
    }
}

/// Where a process is and how to tell whether it still lives.
package struct PeerAddress: Hashable, Sendable, Codable {
    package var peer: PeerID
    package var host: HostID
    /// The process number, and when that process started (clock ticks since boot), so that a reused number is noticed.
    package var processID: Int32
    package var startTime: UInt64
    /// Where others reach it, for example `ipc:///run/mesh/1.sock` and `tcp://10.0.0.7:4711`.
    package var endpoints: [String]

    package init(peer: PeerID, host: HostID, processID: Int32, startTime: UInt64, endpoints: [String]) {
        self.peer = peer
        self.host = host
        self.processID = processID
        self.startTime = startTime
        self.endpoints = endpoints
    }

    /// The endpoint to use from `host`: local ones on the same host, those that cross hosts otherwise.
    ///
    /// - Parameter networks: the networks that the host's interfaces are in; asked only when there is a choice.
    package func endpoint(
        from host: HostID, avoidingLocal: Bool = false, in networks: () -> [IPNetwork] = { [] }
    ) -> String? {
        let local = { (endpoint: String) in endpoint.hasPrefix("ipc:") || endpoint.hasPrefix("inproc:") }
        if host == self.host, !avoidingLocal, let endpoint = self.endpoints.first(where: local) { return endpoint }
        let remote = self.endpoints.filter { !local($0) }
        if host != self.host, remote.count > 1 { return Self.nearest(of: remote, from: networks()) }
        // Nothing but a local one: better than none on the same host.
        return remote.first ?? (host == self.host ? self.endpoints.first : nil)
    }

    /// Of another host's endpoints the first that is in a network of this host's own; if there is none, the first for
    /// which this host has an address of the same kind, or that is a name.
    static func nearest(of endpoints: [String], from networks: [IPNetwork]) -> String? {
        let all = endpoints.map { (text: $0, address: TCPEndpoint($0)?.address) }
        // The other host's loopback is not this one's, and neither is an address that both have, as the bridges of
        // container engines have it everywhere.
        let own = Set(networks.map(\.address))
        let usable = all.filter { $0.address.map { !$0.isLoopback && !own.contains($0) } ?? true }
        let near = usable.first { candidate in
            candidate.address.map { address in networks.contains { $0.contains(address) } } ?? false
        }
        let alike = usable.first { candidate in
            candidate.address.map { address in own.contains { $0.isVersion6 == address.isVersion6 } } ?? true
        }
        return (near ?? alike ?? usable.first ?? all.first)?.text
    }

    package init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self.peer = try container.decode(PeerID.self)
        self.host = try container.decode(HostID.self)
        self.processID = try container.decode(Int32.self)
        self.startTime = try container.decode(UInt64.self)
        self.endpoints = try container.decode([String].self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.peer)
        try container.encode(self.host)
        try container.encode(self.processID)
        try container.encode(self.startTime)
        try container.encode(self.endpoints)
    }
}
