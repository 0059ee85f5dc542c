import DequeModule

/// Which of the connections that others make to this process are kept. A value without sockets and clocks.
///
/// libzmq takes every connection, and whoever has no key can hold one until the time for the handshake is over. So of
/// those that may not have shown a key yet there are only so many; the oldest go first, because a handshake takes
/// milliseconds. Connections from a host that has shown a key are not counted among them.
struct ConnectionGate {
    struct Limits {
        /// How long a handshake may take, in nanoseconds.
        var handshake: UInt64 = 10_000_000_000
        /// How many connections there may be that have perhaps not made it yet.
        var strangers = 256
        /// How many connections of a host that has shown a key are not counted among those.
        var perKnownHost = 1024
        /// How many connections there may be in all.
        var all: Int
    }

    private struct Connection {
        var serial: UInt64
        var host: String
        var date: UInt64
        var isStranger: Bool
    }

    private let limits: Limits
    private var connections: [Int32: Connection] = [:]
    private var countByHost: [String: Int] = [:]
    /// Those that were strangers when they came, the oldest first; some are gone or known by now.
    private var queue: Deque<(descriptor: Int32, serial: UInt64)> = []
    private(set) var strangers = 0
    /// Hosts from which a key was shown.
    private var known: Set<String> = []
    private var next: UInt64 = 0
    /// How many were cut.
    private(set) var cut: UInt64 = 0

    init(_ limits: Limits) { self.limits = limits }

    var count: Int { self.connections.count }

    /// A host has shown a key.
    mutating func admitted(_ host: String) {
        // Whoever has a key has not many addresses.
        if self.known.count >= 10_000 { self.known = [] }
        self.known.insert(host)
    }

    /// A connection has ended.
    mutating func closed(_ descriptor: Int32) {
        guard let connection = self.connections.removeValue(forKey: descriptor) else { return }
        if connection.isStranger { self.strangers -= 1 }
        let count = self.countByHost[connection.host, default: 1] - 1
        self.countByHost[connection.host] = count > 0 ? count : nil
    }

    /// A host has connected.
    ///
    /// - Returns: the connections to cut, of which it may be one.
    mutating func accepted(_ descriptor: Int32, from host: String, at now: UInt64) -> [Int32] {
        self.closed(descriptor)
        self.countByHost[host, default: 0] += 1
        let isStranger = !self.isTrusted(host)
        self.connections[descriptor] = Connection(
            serial: self.next, host: host, date: now, isStranger: isStranger)
        if isStranger {
            self.strangers += 1
            self.queue.append((descriptor, self.next))
        }
        self.next += 1
        let excess = self.connections.count > self.limits.all ? descriptor : self.oldestExcess(at: now)
        guard let excess else { return [] }
        self.closed(excess)
        self.cut += 1
        return [excess]
    }

    private func isTrusted(_ host: String) -> Bool {
        self.known.contains(host) && self.countByHost[host, default: 0] <= self.limits.perKnownHost
    }

    /// The stranger that makes room for others; nil when there are not too many.
    private mutating func oldestExcess(at now: UInt64) -> Int32? {
        while let first = self.queue.first {
            guard let connection = self.connections[first.descriptor], connection.serial == first.serial else {
                self.queue.removeFirst()
                continue
            }
            // One that is older than a handshake may be has made it: others were closed.
            if connection.date + self.limits.handshake < now || self.isTrusted(connection.host) {
                self.connections[first.descriptor]?.isStranger = false
                self.strangers -= 1
                self.queue.removeFirst()
                continue
            }
            return self.strangers > self.limits.strangers ? first.descriptor : nil
        }
        return nil
    }
}
