import MeshCluster
import MeshCore
import Testing

@Suite("Member leases")
struct MemberLeasesTests {
    private let one = PeerID(1)
    private let two = PeerID(2)

    @Test("a member that is silent for the lease time is given up, once")
    func expiry() {
        var leases = MemberLeases(leaseTime: 1000, interval: 100)
        leases.hear(self.one, at: 0)
        leases.hear(self.two, at: 0)
        for now in stride(from: UInt64(100), through: 1000, by: 100) {
            leases.hear(self.two, at: now)
            #expect(leases.tick(now: now).isEmpty)
        }
        #expect(leases.tick(now: 1100) == [self.one])
        #expect(leases.tick(now: 1200).isEmpty)
        #expect(!leases.contains(self.one))
        #expect(leases.contains(self.two))
    }

    @Test("a member that leaves is not given up again, and one that comes back is a member")
    func leaving() {
        var leases = MemberLeases(leaseTime: 1000, interval: 100)
        leases.hear(self.one, at: 0)
        leases.remove(self.one)
        #expect(leases.tick(now: 5000).isEmpty)
        leases.hear(self.one, at: 5000)
        #expect(leases.contains(self.one))
    }

    @Test("a broker that was stopped itself takes nobody's lease for it")
    func ownStop() {
        var leases = MemberLeases(leaseTime: 1000, interval: 100)
        leases.hear(self.one, at: 0)
        #expect(leases.tick(now: 100).isEmpty)
        // Stopped for a minute: what came meanwhile has not been read yet.
        #expect(leases.tick(now: 60_100).isEmpty)
        #expect(leases.contains(self.one))
        // From now on the rest of its lease runs.
        var now: UInt64 = 60_100
        var given: [PeerID] = []
        while given.isEmpty, now < 70_000 {
            now += 100
            given = leases.tick(now: now)
        }
        #expect(given == [self.one])
        #expect((60_900...61_200).contains(now), "\(now)")
    }

    @Test("ticks that are a little late prolong nothing")
    func lateTicks() {
        var leases = MemberLeases(leaseTime: 1000, interval: 100)
        leases.hear(self.one, at: 0)
        var given: [PeerID] = []
        for now in stride(from: UInt64(250), through: 1250, by: 250) { given += leases.tick(now: now) }
        #expect(given == [self.one])
    }
}
