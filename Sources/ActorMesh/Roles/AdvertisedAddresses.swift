package import MeshCore

/// As what others reach a process that is bound somewhere.
package enum AdvertisedAddresses {
    /// The endpoints that others are told.
    ///
    /// - Parameters:
    ///   - bound: the endpoints that were bound, with their ports. Those for this host only (`ipc:`) stay as they are.
    ///   - told: what to tell in place of what was bound by TCP; port `*` stands for the bound port. Empty: what was bound.
    ///   - addresses: the hosts by which others reach an endpoint that is bound on all interfaces.
    /// - Throws: `invalidArgument` when something is to be told and nothing was bound by TCP.
    package static func of(
        _ bound: [String], told: [String], _ addresses: (TCPEndpoint) -> [String]
    ) throws(MeshError) -> [String] {
        let reachable = bound.compactMap { TCPEndpoint($0).map(Self.plain) }
        let local = bound.filter { TCPEndpoint($0) == nil }
        guard !told.isEmpty else {
            return local + reachable.flatMap { $0.isWildcard ? Self.expand($0, addresses) : [$0.text] }
        }
        var list = local
        for text in told {
            guard let endpoint = TCPEndpoint(text), !endpoint.isWildcard, !endpoint.hasRange else {
                throw MeshError(
                    .invalidArgument,
                    "\"\(text)\" is no address that others can connect to. Advertise tcp://HOST:PORT, such as "
                        + "tcp://mesh.example:4711; port * is the one that was bound.")
            }
            guard let source = Self.source(of: endpoint, in: reachable) else {
                throw MeshError(
                    .invalidArgument,
                    "\(text) cannot be advertised by a process that other hosts cannot reach. "
                        + "Give it an address to bind too, such as tcp://0.0.0.0:*.")
            }
            let port = endpoint.port == "*" ? source.port : endpoint.port
            let advertised = TCPEndpoint(host: endpoint.host, port: port, key: source.key).text
            if !list.contains(advertised) { list.append(advertised) }
        }
        return list
    }

    /// Which of the bound endpoints is reached by an advertised one: the same host, else one that takes in what comes to
    /// any of this host's addresses of that kind, else the first.
    private static func source(of endpoint: TCPEndpoint, in bound: [TCPEndpoint]) -> TCPEndpoint? {
        let address = endpoint.address
        let same = bound.first { $0.host == endpoint.host || (address != nil && $0.address == address) }
        let alike = bound.first { candidate in
            guard let address, let own = candidate.address else { return candidate.isWildcard }
            // `[::]` takes in IPv4 as well.
            return own.isVersion6 == address.isVersion6 || own.isUnspecified && own.isVersion6
        }
        return same ?? alike ?? bound.first
    }

    private static func expand(_ endpoint: TCPEndpoint, _ addresses: (TCPEndpoint) -> [String]) -> [String] {
        addresses(endpoint).map { TCPEndpoint(host: $0, port: endpoint.port, key: endpoint.key).text }
    }

    /// IPv4 addresses written as such: libzmq gives those of sockets that know both kinds as `[::ffff:10.0.0.7]`.
    private static func plain(_ endpoint: TCPEndpoint) -> TCPEndpoint {
        guard let address = endpoint.address else { return endpoint }
        return TCPEndpoint(host: address.host, port: endpoint.port, key: endpoint.key)
    }
}
