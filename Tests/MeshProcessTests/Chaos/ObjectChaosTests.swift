import ActorMesh
import Foundation
import Glibc
import MeshFixtures
import Testing

extension Processes.Chaos {
    /// Three drivers put objects into the mesh, pass them on and read them; one of them is killed half-way, when another
    /// begins. Each has less memory for objects than it needs.
    @Test("O1, O2, O3: whatever dies, each get ends with the right value or objectLost, and no memory is left behind")
    func objects() async throws {
        let seconds = self.number("CHAOS_SECONDS").flatMap(Double.init) ?? 10
        let seed = self.number("CHAOS_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)
        let files = Self.sharedMemoryFiles()
        let cluster = try await ChaosCluster(
            on: nil, leaseTime: .seconds(1), directory: "", environment: ["FIXTURES_OBJECT_MEMORY": "\(2 << 20)"])
        let names = ["one", "two", "three"]
        func driver(_ index: Int, share: Double) async throws -> FixtureProgram {
            try await cluster.addDriver(
                ["object-chaos", names[index], "\(seed &+ UInt64(index) * 100)", "\(seconds * share)"] + names)
        }
        let (first, mortal) = (try await driver(0, share: 1), try await driver(1, share: 10))
        for driver in [first, mortal] { #expect(await driver.line() == "ready") }
        async let chaos: Void = cluster.run(
            ChaosSchedule(seed: seed, duration: .seconds(seconds), leaseTime: .seconds(1)))
        try await Task.sleep(for: .seconds(seconds / 2))
        mortal.send(SIGKILL)
        let last = try await driver(2, share: 0.5)
        #expect(await last.line() == "ready")
        try await chaos

        var violations: [String] = []
        for driver in [first, last] { violations += await self.complaints(of: driver, until: "idle").lines }
        var done: [String] = []
        for driver in [first, last] { driver.tell("all are idle") }
        for driver in [first, last] {
            let (lines, end) = await self.complaints(of: driver)
            violations += lines
            done.append(end)
        }
        violations += try await self.remains(in: cluster)
        for driver in [first, last] {
            driver.send(SIGTERM)
            #expect(await driver.wait() == -SIGTERM)
        }
        let kills = await cluster.kills
        await cluster.end()
        let processes = await cluster.processes
        try await poll { !processes.contains(where: \.isRunning) }
        #expect(Self.sharedMemoryFiles().subtracting(files) == [])
        print("chaos of objects, seed \(seed), \(seconds) s: \(kills) kills, \(done.joined(separator: "; "))")
        if !violations.isEmpty {
            Issue.record(
                "seed \(seed), \(violations.count) violations:\n\(violations.prefix(20).joined(separator: "\n"))")
        }
        // A run in which nothing happens shows nothing.
        if seconds >= 5 { #expect(kills > 0) }
    }

    /// What is left of objects when nobody refers to any: in nodes, and in all processes that live.
    private func remains(in cluster: ChaosCluster) async throws -> [String] {
        let settings = MeshSettings(leaseTime: .seconds(1), heartbeatInterval: .milliseconds(100))
        let configuration = MeshConfiguration(
            address: cluster.address, program: Fixtures.program, settings: settings)
        return try await withMesh(configuration) { mesh in
            func usages() async throws -> [ObjectUsage?] { try await mesh.nodes().map(\.objects) }
            let isEmpty: (ObjectUsage?) -> Bool = {
                $0 == nil || $0?.count == 0 && $0?.bytes == 0 && $0?.bytesOnDisk == 0
            }
            try await poll(for: .seconds(30)) { try await usages().allSatisfy(isEmpty) }
            var left = try await mesh.nodes().filter { !isEmpty($0.objects) }.map { "left in node \($0)" }
            let processes = await cluster.processes.filter(\.isRunning).map(\.process)
            try await poll(for: .seconds(30)) { processes.allSatisfy { ProcessTable.objects(of: $0).isEmpty } }
            left += processes.flatMap { process in
                ProcessTable.objects(of: process).map { "left in process \(process): \($0)" }
            }
            return left
        }
    }

    /// What programs have in `/dev/shm`.
    private static func sharedMemoryFiles() -> Set<String> {
        Set((try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm")) ?? [])
    }
}
