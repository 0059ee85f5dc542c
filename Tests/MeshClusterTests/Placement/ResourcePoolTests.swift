import MeshCluster
import MeshCore
import MeshRuntime
import MeshTransportInProcess
import Testing

@Suite("A pool of resources")
struct ResourcePoolTests {
    private static func amounts(_ cpus: Double = 0, gpus: Double = 0, license: Double = 0) throws -> ResourceAmounts {
        try ResourceAmounts(asked: Resources(cpus: cpus, gpus: gpus, custom: ["license": license]))
    }

    private static func pool(_ cpus: Double = 4, gpus: Double = 2, license: Double = 3) throws -> ResourcePool {
        ResourcePool(
            try ResourceAmounts(offered: Resources(cpus: cpus, gpus: gpus, custom: ["license": license])))
    }

    private func claimant(_ number: UInt64) -> Claimant { .actor(UniqueID(high: 1, low: number)) }

    /// Gives somebody what he asks for. Returns the GPUs that he has; nil when there was too little.
    private func give(_ amounts: ResourceAmounts, _ number: UInt64, _ pool: inout ResourcePool) -> [Int]? {
        guard let grant = pool.choose(amounts) else { return nil }
        pool.give(grant, to: self.claimant(number))
        return grant.gpuIDs
    }

    @Test("parts of GPUs share one, whole ones are nobody else's")
    func gpus() throws {
        var pool = try Self.pool(gpus: 3)
        #expect(self.give(try Self.amounts(gpus: 0.5), 1, &pool) == [0])
        #expect(self.give(try Self.amounts(gpus: 1), 2, &pool) == [1])
        #expect(self.give(try Self.amounts(gpus: 0.5), 3, &pool) == [0], "the half that is left is used first")
        #expect(self.give(try Self.amounts(gpus: 2), 4, &pool) == nil)
        #expect(self.give(try Self.amounts(gpus: 0.6), 5, &pool) == [2])
        #expect(self.give(try Self.amounts(gpus: 0.6), 6, &pool) == nil)
        pool.takeBack(from: self.claimant(2))
        #expect(self.give(try Self.amounts(gpus: 1), 7, &pool) == [1])
    }

    @Test("what is half free on two GPUs is no whole one")
    func fragments() throws {
        var pool = try Self.pool(gpus: 2)
        #expect(self.give(try Self.amounts(gpus: 0.6), 1, &pool) == [0])
        #expect(self.give(try Self.amounts(gpus: 0.6), 2, &pool) == [1])
        #expect(pool.choose(try Self.amounts(gpus: 0.8)) == nil)
        let (two, three) = (try Self.amounts(gpus: 2), try Self.amounts(gpus: 3))
        #expect(pool.couldEver(two) && !pool.couldEver(three))
    }

    @Test("who is given something again has it once")
    func twice() throws {
        var pool = try Self.pool()
        _ = self.give(try Self.amounts(3), 1, &pool)
        pool.give(ResourcePool.Grant(amounts: try Self.amounts(3), gpuIDs: []), to: self.claimant(1))
        #expect(pool.used.cpus == 30_000)
        pool.takeBack(from: self.claimant(1))
        pool.takeBack(from: self.claimant(1))
        #expect(pool.used.isZero && pool.free == pool.total)
    }

    @Test("of what is set aside only the rest is left, and of other things everything")
    func setAside() throws {
        var pool = try Self.pool()
        _ = self.give(try Self.amounts(3), 1, &pool)
        let waiting = try Self.amounts(2, license: 1)
        #expect(pool.choose(waiting) == nil)
        pool.setAside(waiting)
        #expect(pool.choose(try Self.amounts(1)) == nil)
        #expect(pool.choose(try Self.amounts(gpus: 2, license: 2)) != nil)
        #expect(pool.choose(try Self.amounts(license: 3)) == nil)
    }

    @Test(
        "what is given and taken back at random adds up, and comes out at nothing", arguments: 0..<30 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var pool = try Self.pool(8, gpus: 4)
        var holders: Set<UInt64> = []
        for number in 0..<400 as Range<UInt64> {
            if Bool.random(using: &random), let holder = holders.randomElement(using: &random) {
                pool.takeBack(from: self.claimant(holder))
                holders.remove(holder)
            } else {
                let gpus: Double = [0, 0.1, 0.25, 0.3333, 0.5, 1, 2].randomElement(using: &random) ?? 0
                let cpus = Double.random(in: 0...2, using: &random)
                let amounts = try Self.amounts((cpus * 1000).rounded() / 1000, gpus: gpus)
                guard !amounts.isZero, let ids = self.give(amounts, number, &pool) else { continue }
                #expect(ids.count == (gpus == 0 ? 0 : max(1, Int(gpus))) && Set(ids).count == ids.count)
                holders.insert(number)
            }
            #expect(pool.contradictions.isEmpty && pool.overdrawn == nil)
        }
        for holder in holders { pool.takeBack(from: self.claimant(holder)) }
        #expect(pool == (try Self.pool(8, gpus: 4)))
    }
}
