import Glibc

/// Which of this machine's addresses others can use.
enum LocalAddress {
    private static let loopback = "tcp://127.0.0.1:*"

    /// What a process binds that was not told what to bind: the address from which it reaches the broker.
    static func binding(toward broker: String) -> String {
        guard broker.hasPrefix("tcp://"), let address = self.source(toward: broker) else { return self.loopback }
        return "tcp://\(address):*"
    }

    /// The same endpoint as others connect to it: with an address in place of "all interfaces", and IPv4 addresses
    /// written as such.
    static func advertised(_ bound: String, toward broker: String?) -> String {
        var endpoint = bound
        let mapped = "tcp://[::ffff:"
        if endpoint.hasPrefix(mapped), let end = endpoint.firstIndex(of: "]") {
            endpoint = "tcp://\(endpoint.dropFirst(mapped.count)[..<end])\(endpoint[endpoint.index(after: end)...])"
        }
        for wildcard in ["tcp://0.0.0.0:", "tcp://[::]:"] where endpoint.hasPrefix(wildcard) {
            // Without a broker to reach, the way to anywhere names the interface that others see.
            guard let address = self.source(toward: broker ?? "tcp://192.0.2.1:9") else { break }
            return "tcp://\(address):\(endpoint.dropFirst(wildcard.count))"
        }
        return endpoint
    }

    /// The local address from which packets to an endpoint leave. Nothing is sent to find out.
    private static func source(toward endpoint: String) -> String? {
        let place = endpoint.dropFirst("tcp://".count)
        guard endpoint.hasPrefix("tcp://"), let colon = place.lastIndex(of: ":") else { return nil }
        let host = place[..<colon].filter { $0 != "[" && $0 != "]" }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(place[place.index(after: colon)...]), &hints, &list) == 0, let target = list
        else { return nil }
        defer { freeaddrinfo(list) }
        let descriptor = socket(target.pointee.ai_family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard connect(descriptor, target.pointee.ai_addr, target.pointee.ai_addrlen) == 0 else { return nil }
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var text = [CChar](repeating: 0, count: 256)
        let isKnown = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(descriptor, address, &size) == 0
                    && getnameinfo(address, size, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            }
        }
        guard isKnown else { return nil }
        let numeric = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return target.pointee.ai_family == AF_INET6 ? "[\(numeric)]" : numeric
    }
}
