import ActorMesh
import Glibc
import MeshFixtures
import Testing

extension Processes.L5NobodyLeftBehind {
    /// The processes of a mesh that something is done to, beside the worker of the driver's actor.
    struct Victims: OptionSet, Sendable, CustomTestStringConvertible {
        let rawValue: Int
        static let broker = Victims(rawValue: 1)
        static let node = Victims(rawValue: 2)
        static let driver = Victims(rawValue: 4)

        static let combinations = (1...7).map(Victims.init(rawValue:))

        var testDescription: String {
            let names = [(Self.broker, "broker"), (.node, "node"), (.driver, "driver")]
            return names.filter { self.contains($0.0) }.map(\.1).joined(separator: " and ")
        }

        func processes(_ cluster: Cluster, _ driver: FixtureProgram) -> [Int32] {
            var processes: [Int32] = []
            if self.contains(.broker) { processes.append(cluster.broker.processID) }
            if self.contains(.node) { processes.append(cluster.node.processID) }
            if self.contains(.driver) { processes.append(driver.processID) }
            return processes
        }
    }

    /// A driver in a process of its own, with an actor that has a name. Returns the actor's process, too.
    private func owner(in cluster: Cluster) async throws -> (driver: FixtureProgram, worker: Int32) {
        let driver = try cluster.driver("own")
        let line = try #require(await driver.line())
        return (driver, try #require(line.split(separator: " ").last.flatMap { Int32($0) }))
    }

    @Test(
        "kill -9 of any of them at once: no process of an actor is left, and who lives is told",
        arguments: Victims.combinations)
    func killed(_ victims: Victims) async throws {
        let cluster = try await Cluster()
        let (driver, worker) = try await self.owner(in: cluster)
        let workers = ProcessTable.children(of: cluster.node.processID, named: "mesh-fixtures")
        #expect(workers.contains(worker))
        for process in victims.processes(cluster, driver) { kill(process, SIGKILL) }
        try await poll { !ProcessTable.isRunning(worker) }
        switch victims {
        case .driver:
            // Its name is free.
            try await cluster.drive { mesh in
                try await poll {
                    await codeThrown { try await mesh.find(Blocker.self, named: "owned") } == .actorNotFound
                }
                let next = try await mesh.spawn(Blocker.self, options: .init(name: "owned"))
                #expect(try await next.count() == 1)
            }
        case .broker, [.broker, .driver]:
            // A node without a broker, which does not come back, ends.
            #expect(await cluster.node.wait() > 0)
            try await poll { !workers.contains(where: ProcessTable.isRunning) }
        default:
            try await poll { !workers.contains(where: ProcessTable.isRunning) }
        }
        if !victims.contains(.driver) { #expect(await driver.line()?.hasPrefix("failed actor") == true) }
    }

    @Test(
        "any of them frozen at once: the actor ends, its caller is told, and afterwards all are of use again",
        arguments: Victims.combinations)
    func frozen(_ victims: Victims) async throws {
        let cluster = try await Cluster()
        let (driver, worker) = try await self.owner(in: cluster)
        let processes = victims.processes(cluster, driver)
        try await ProcessTable.freeze(processes)
        try await poll { !ProcessTable.isRunning(worker) }
        for process in processes { kill(process, SIGCONT) }
        #expect(await driver.line()?.hasPrefix("failed actor") == true)
        let line = await driver.line()
        let status = await driver.wait()
        guard line != "again 1" || status != 0 else { return }
        // A node waits for a broker that keeps nothing as long as the lease time, and then ends.
        if victims.contains(.broker), !ProcessTable.isRunning(cluster.node.processID) { return }
        Issue.record("status \(status), \(line ?? "nothing"):\n\(await driver.errors.lines().joined(separator: "\n"))")
    }
}
