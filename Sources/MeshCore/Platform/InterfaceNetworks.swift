package import Glibc

/// The networks of this host's interfaces that are up, without those that lead nowhere else: loopback and link-local ones.
///
/// Asked anew each time: interfaces come and go while a process runs.
package func interfaceNetworks() -> [IPNetwork] {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { return [] }
    defer { freeifaddrs(first) }
    var networks: [IPNetwork] = []
    var next = first
    while let entry = next?.pointee {
        next = entry.ifa_next
        guard entry.ifa_flags & UInt32(IFF_UP) != 0, let address = ipAddress(entry.ifa_addr) else { continue }
        guard !address.isLoopback, !address.isLinkLocal else { continue }
        let mask = entry.ifa_netmask.flatMap { ipBytes($0, family: entry.ifa_addr.pointee.sa_family) } ?? []
        networks.append(IPNetwork(address: address, prefix: mask.reduce(0) { $0 + $1.nonzeroBitCount }))
    }
    return networks
}

/// The address in a socket address; nil for one of another family.
package func ipAddress(_ address: UnsafePointer<sockaddr>?) -> IPAddress? {
    guard let address else { return nil }
    return ipBytes(address, family: address.pointee.sa_family).map { IPAddress(bytes: $0) }
}

private func ipBytes(_ address: UnsafePointer<sockaddr>, family: sa_family_t) -> [UInt8]? {
    switch Int32(family) {
    case AF_INET:
        return UnsafeRawPointer(address).withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) }
        }
    case AF_INET6:
        return UnsafeRawPointer(address).withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
            withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) }
        }
    default: return nil
    }
}
