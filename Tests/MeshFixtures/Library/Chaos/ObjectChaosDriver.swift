package import ActorMesh
import Glibc
import MeshTesting
import Synchronization

/// Puts objects into the mesh, has tasks and actors make others, passes them on and reads them until its time is up.
///
/// It prints `ready` when its actors are there, a line that begins with `violation` for everything that must not be,
/// `idle` when its time is up, and, when it was told that all others are idle too, `done` with what it read as soon as it
/// has let go of everything and its own store is empty. Then it waits to be killed.
package final class ObjectChaosDriver: Sendable {
    private static let depots = 3
    private static let lanes = 4
    /// Far more than a lease and all that follows from its end.
    private static let patience = Duration.seconds(30)

    private let mesh: Mesh
    private let name: String
    private let others: [String]
    private let seed: UInt64
    private let duration: Duration
    private let count = Mutex(Count())

    private struct Count: Sendable {
        var right = 0
        var lost = 0
        var failedCalls = 0
    }

    /// Reads what to do from arguments: its name, the seed, for how many seconds, and the names of all drivers.
    package init(_ arguments: ArraySlice<String>, mesh: Mesh) throws {
        let arguments = Array(arguments.prefix { $0 != "--mesh" })
        guard arguments.count >= 4, let seed = UInt64(arguments[1]), let seconds = Double(arguments[2]) else {
            throw MeshError(.invalidArgument, "object-chaos NAME SEED SECONDS NAMES…, not \(arguments).")
        }
        self.mesh = mesh
        (self.name, self.seed, self.duration) = (arguments[0], seed, .seconds(seconds))
        self.others = Array(arguments[3...])
    }

    /// Does it.
    package func run() async throws {
        do {
            var depots: [Depot] = []
            for index in 0..<Self.depots {
                let options = ActorOptions(
                    name: "depot-\(self.name)-\(index)", maxRestarts: .unlimited, maxConcurrency: 8,
                    backoff: Backoff(initial: .milliseconds(5), maximum: .milliseconds(50)))
                depots.append(
                    try await persist { try await self.mesh.findOrSpawn(Depot.self, options: options) })
            }
            say("ready")
            let end = ContinuousClock.now + self.duration
            await withTaskGroup(of: Void.self) { group in
                for lane in 0..<Self.lanes {
                    group.addTask { [depots] in
                        var lane = Lane(
                            driver: self, own: depots, random: SeededGenerator(seed: self.seed &+ UInt64(lane)))
                        await lane.run(until: end)
                    }
                }
            }
            say("idle")
            // Others may still pass parcels to its actors.
            await told()
            for depot in depots { try await persist { try await depot.empty() } }
        }
        await self.checkStore()
        let count = self.count.withLock { $0 }
        say("done \(count.right) right, \(count.lost) lost, \(count.failedCalls) failed calls")
        for await _ in AsyncStream<Never>(unfolding: { await withUnsafeContinuation { _ in } }) {}
    }

    /// What nobody refers to any more is freed.
    private func checkStore() async {
        let end = ContinuousClock.now + Self.patience
        var usage = self.mesh.objects.storeIfMade?.usage ?? ObjectUsage()
        while usage.count > 0, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(20))
            usage = self.mesh.objects.storeIfMade?.usage ?? ObjectUsage()
        }
        if usage.count > 0 || usage.bytes > 0 || usage.bytesOnDisk > 0 {
            say("violation: \(self.name) still keeps \(usage); \(self.mesh.objects.counts)")
        }
    }

    /// What one of several sequences of actions has.
    private struct Lane {
        let driver: ObjectChaosDriver
        let own: [Depot]
        var random: SeededGenerator
        var held: [Parcel] = []
        private var number = 0

        init(driver: ObjectChaosDriver, own: [Depot], random: SeededGenerator) {
            (self.driver, self.own, self.random) = (driver, own, random)
        }

        private var mesh: Mesh { self.driver.mesh }

        mutating func run(until end: ContinuousClock.Instant) async {
            while ContinuousClock.now < end {
                do {
                    try await self.act()
                } catch let error as MeshError {
                    let mayBe: [MeshError.Code] = [.actorDied, .actorUnavailable, .actorNotFound, .objectLost]
                    if !mayBe.contains(error.code) { say("violation: \(error)") }
                    self.driver.count.withLock { $0.failedCalls += 1 }
                    try? await Task.sleep(for: .milliseconds(20))
                } catch {
                    say("violation: \(error)")
                }
            }
            self.held = []
        }

        private mutating func act() async throws {
            while self.held.count > 8 { self.held.remove(at: self.roll(self.held.count)) }
            switch self.roll(10) {
            case 0..<3: self.held.append(try await self.make())
            case 3..<6:
                guard let parcel = self.pick() else { return }
                self.judge(await parcel.inspect(on: self.mesh), parcel, "the driver")
            case 6:
                guard let parcel = self.pick() else { return }
                let inspection = try await self.mesh.submit(Inspection(parcel), options: .init(maxRetries: .unlimited))
                self.judge(try await self.get(inspection), parcel, "a task")
            case 7:
                guard let parcel = self.pick() else { return }
                let depot = try await self.depot()
                let verdicts = try await self.mesh.withDeadline(ObjectChaosDriver.patience * 3) {
                    try await depot.inspect(parcel)
                }
                self.judge(verdicts, parcel, "an actor")
            default:
                guard let parcel = self.pick() else { return }
                let depot = try await self.depot()
                let choice = self.roll(1000)
                let other = try await self.mesh.withDeadline(ObjectChaosDriver.patience) {
                    try await depot.exchange(parcel, choice)
                }
                if let other { self.held.append(other) }
            }
        }

        private mutating func make() async throws -> Parcel {
            self.number += 1
            let seed = self.roll(1_000_000)
            let bytes = [1 << 10, 100 << 10, 300 << 10][self.roll(3)]
            switch self.roll(4) {
            case 0:
                let ref = try await self.mesh.put(Cargo.sample(seed, bytes: bytes))
                return Parcel(seed: seed, bytes: bytes, owner: self.driver.name, content: .cargo(ref))
            case 1:
                let task = MakeCargo(seed: seed, bytes: bytes)
                let ref = try await self.mesh.submit(task, options: .init(maxRetries: .unlimited))
                return Parcel(seed: seed, bytes: bytes, content: .cargo(ref))
            case 2:
                let depot = try await self.depot()
                return try await self.mesh.withDeadline(ObjectChaosDriver.patience) {
                    try await depot.make(seed, bytes: bytes)
                }
            default:
                let crate = Crate(parcels: Array(self.held.shuffled(using: &self.random).prefix(3)))
                let ref = try await self.mesh.put(crate)
                return Parcel(seed: seed, bytes: bytes, owner: self.driver.name, content: .crate(ref))
            }
        }

        private mutating func pick() -> Parcel? { self.held.isEmpty ? nil : self.held[self.roll(self.held.count)] }

        private mutating func roll(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self.random) }

        private mutating func depot() async throws -> Depot {
            let (driver, index) = (self.roll(self.driver.others.count), self.roll(ObjectChaosDriver.depots))
            let name = self.driver.others[driver]
            guard name != self.driver.name else { return self.own[index] }
            return try await self.mesh.find(Depot.self, named: "depot-\(name)-\(index)")
        }

        private func get(_ ref: ObjectRef<[Verdict]>) async throws -> [Verdict] {
            try await self.mesh.get(ref, timeout: ObjectChaosDriver.patience * 3)
        }

        private func judge(_ verdicts: [Verdict], _ parcel: Parcel, _ reader: String) {
            for verdict in verdicts {
                switch verdict {
                case .right: self.driver.count.withLock { $0.right += 1 }
                case .lost: self.driver.count.withLock { $0.lost += 1 }
                case .wrong(let what): say("violation: \(reader) read \(what)")
                }
            }
            // What this process put it keeps, as long as it has a reference.
            if verdicts.first == .lost, parcel.owner == self.driver.name, reader == "the driver" {
                say("violation: \(parcel.content) is lost, whose owner lives")
            }
        }
    }
}

/// Returns when this process was given a line to read.
@concurrent private func told() async { _ = readLine() }
