package import MeshCore

/// Which processes take part, and until when each may be silent. A value without a clock.
///
/// A broker that was stopped for a while, by a debugger or a machine that slept, must not take its own silence for that
/// of all others: a tick that comes much later than the one before prolongs every lease by what it is late.
package struct MemberLeases: Sendable {
    private var heard: [PeerID: UInt64] = [:]
    private var lastTick: UInt64?
    package let leaseTime: UInt64
    package let interval: UInt64

    /// - Parameter interval: how often `tick` is called.
    package init(leaseTime: UInt64, interval: UInt64) {
        self.leaseTime = leaseTime
        self.interval = interval
    }

    /// A process joined, or has said that it lives.
    package mutating func hear(_ member: PeerID, at now: UInt64) { self.heard[member] = now }

    package mutating func remove(_ member: PeerID) { self.heard[member] = nil }

    package func contains(_ member: PeerID) -> Bool { self.heard[member] != nil }

    /// Removes and returns those whose leases have run out.
    package mutating func tick(now: UInt64) -> [PeerID] {
        if let last = self.lastTick, now > last + 3 * self.interval {
            let late = now - last - self.interval
            for member in self.heard.keys { self.heard[member, default: 0] += late }
        }
        self.lastTick = now
        let expired = self.heard.filter { now > $0.value + self.leaseTime }.map(\.key)
        for member in expired { self.heard[member] = nil }
        return expired.sorted { $0.number < $1.number }
    }
}
