import Glibc
import MeshCore

/// Which of this machine's addresses others can use.
enum LocalAddress {
    /// What a process binds that was not told what to bind: the address from which it reaches the broker.
    ///
    /// - Parameter advertised: what it was told to advertise: a port that is named there is the one to bind.
    /// - Throws: `brokerUnavailable` when there is no way to the broker now: an address that others cannot reach would be
    ///   of no use when there is one.
    static func binding(toward broker: String, advertised: [String] = []) throws(MeshError) -> String {
        let port = advertised.lazy.compactMap { TCPEndpoint($0)?.port }.first { $0 != "*" } ?? "*"
        guard TCPEndpoint(broker) != nil else { return TCPEndpoint(host: "127.0.0.1", port: port).text }
        guard let host = self.source(toward: broker)?.host else {
            throw MeshError(
                .brokerUnavailable,
                "There is no way to the broker at \(broker): its name is not known here (now), or no network leads to it."
            )
        }
        return TCPEndpoint(host: host, port: port).text
    }

    /// The hosts by which others reach what is bound on all interfaces: the address from which this process reaches the
    /// broker, and those from which it would reach anybody. Without a way to anywhere, as in a container on a network of
    /// its own, all the addresses of its interfaces; without those the loopback address.
    static func addresses(of endpoint: TCPEndpoint, toward broker: String?) -> [String] {
        let takesVersion6 = endpoint.address?.isVersion6 ?? true
        // `[::]` takes in both kinds. The addresses are kept for documentation: nobody has them.
        let targets = [broker, "tcp://192.0.2.1:9", "tcp://[2001:db8::1]:9"].compactMap { $0 }
        let isOfUse = { (address: IPAddress) in
            !address.isLoopback && !address.isLinkLocal && !address.isUnspecified
                && (takesVersion6 || !address.isVersion6)
        }
        var found = targets.compactMap { self.source(toward: $0) }.filter(isOfUse)
        if found.isEmpty { found = interfaceNetworks().map(\.address).filter(isOfUse) }
        var hosts: [String] = []
        for host in found.map(\.host) where !hosts.contains(host) { hosts.append(host) }
        return hosts.isEmpty ? [takesVersion6 ? "[::1]" : "127.0.0.1"] : hosts
    }

    /// The local address from which packets to an endpoint leave. Nothing is sent to find out.
    private static func source(toward endpoint: String) -> IPAddress? {
        guard let place = TCPEndpoint(endpoint) else { return nil }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(place.host.filter { $0 != "[" && $0 != "]" }, place.port, &hints, &list) == 0 else {
            return nil
        }
        defer { freeaddrinfo(list) }
        // A name may stand for addresses of both kinds, of which this host may have only one.
        var target = list
        while let candidate = target?.pointee {
            if let address = self.source(toward: candidate) { return address }
            target = candidate.ai_next
        }
        return nil
    }

    private static func source(toward target: addrinfo) -> IPAddress? {
        let descriptor = socket(target.ai_family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard connect(descriptor, target.ai_addr, target.ai_addrlen) == 0 else { return nil }
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(descriptor, address, &size) == 0 ? ipAddress(address) : nil
            }
        }
    }
}
