import ActorMesh
import Foundation
import Glibc
import MeshFixtures
import MeshSecurity
import Testing

/// A broker, nodes and drivers of the fixtures program, each in a process of its own, and what is done to them.
///
/// They are on this host, or each on one of a network: then they have a key, and the broker keeps what it knows in a file.
actor ChaosCluster {
    let address: String
    let keyFile: String?
    private let network: Network?
    private var broker: FixtureProgram
    private let brokerArguments: [String]
    private let environment: [String: String]
    private var nodes: [(program: FixtureProgram, host: NetworkHost?)] = []
    private var started = 0
    /// Every process that was ever seen.
    private(set) var processes: Set<ProcessTable.Life> = []
    private(set) var kills = 0
    private(set) var freezes = 0
    private(set) var cuts = 0
    private(set) var disturbances = 0
    private(set) var revivals = 0

    /// Starts the broker and two nodes.
    ///
    /// - Parameters:
    ///   - network: with the hosts `broker`, `one`, `two` and `driver`; nil: all is on this host.
    ///   - directory: for the files that they need.
    ///   - environment: what the programs find there besides.
    init(
        on network: Network?, leaseTime: Duration, directory: String, environment more: [String: String] = [:]
    ) async throws {
        self.network = network
        var environment = more
        environment["FIXTURES_LEASE"] = "\(leaseTime / .milliseconds(1))".split(separator: ".")[0].description
        var binding = "tcp://127.0.0.1:*"
        if let network {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let keyFile = "\(directory)/mesh.key"
            try KeyFile.write(MeshKey.make(), to: keyFile)
            environment["MESH_KEY_FILE"] = keyFile
            environment["FIXTURES_STORE"] = "\(directory)/registry.sqlite"
            // No cut is so long, and a node that ended with the broker is not waited for in vain until the end.
            environment["FIXTURES_ABSENCE"] = "\(Int(leaseTime * 4 / .milliseconds(1)))"
            binding = "tcp://\(try network["broker"].host):4711"
        }
        self.keyFile = environment["MESH_KEY_FILE"]
        self.environment = environment
        self.brokerArguments = ["broker", "--bind", binding]
        self.broker = try FixtureProgram(
            self.brokerArguments, environment: environment, on: network.map { try $0["broker"] })
        let line = try #require(await self.broker.line())
        self.address = try #require(line.split(separator: " ").last.map(String.init))
        self.see(self.broker.processID)
        for host in ["one", "two"] {
            let node = try self.addNode(on: network.map { try $0[host] })
            _ = try #require(await node.line())
        }
    }

    /// Starts a driver that does what arguments say.
    func addDriver(_ arguments: [String]) throws -> FixtureProgram {
        let driver = try FixtureProgram(
            arguments + ["--mesh", self.address], environment: self.environment,
            on: self.network.map { try $0["driver"] })
        self.see(driver.processID)
        return driver
    }

    /// Does what a schedule says, and returns when the last frozen process goes on and the last host is reached again.
    func run(_ schedule: ChaosSchedule) async throws {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for step in schedule.steps {
                try await Task.sleep(until: start + step.time, clock: .continuous)
                self.look()
                try await self.revive()
                switch step.victim {
                case .worker: self.hit(self.workers(), step, &group)
                case .node: try await self.hitNode(step, &group)
                case .host: try self.hitHost(step, &group)
                case .broker: try await self.hitBroker()
                }
            }
            try await group.waitForAll()
        }
        try await self.revive()
    }

    /// Ends the nodes and the broker in good order.
    func end() async {
        self.look()
        for program in self.nodes.map(\.program) + [self.broker] {
            program.send(SIGTERM)
            _ = await program.wait()
        }
    }

    private func addNode(on host: NetworkHost?) throws -> FixtureProgram {
        self.started += 1
        let node = try FixtureProgram(
            ["node", "--mesh", self.address, "--name", "node-\(self.started)", "--cpus", "64"],
            environment: self.environment, on: host)
        self.see(node.processID)
        self.nodes.append((node, host))
        return node
    }

    /// Nodes that did not find their broker are started again, as their operator would do.
    private func revive() async throws {
        for (node, host) in self.nodes where !ProcessTable.isRunning(node.processID) {
            self.nodes.removeAll { $0.program === node }
            let status = await node.wait()
            try #require(status > 0, "node \(node.processID) has ended: \(status)")
            self.revivals += 1
            _ = try self.addNode(on: host)
        }
    }

    /// A killed node gets a successor, once it has ended.
    private func hitNode(_ step: ChaosSchedule.Step, _ group: inout ThrowingTaskGroup<Void, any Error>) async throws {
        let position = step.choice % self.nodes.count
        self.hit([self.nodes[position].program.processID], step, &group)
        guard step.action == .kill else { return }
        let (node, host) = self.nodes.remove(at: position)
        _ = await node.wait()
        let next = try self.addNode(on: host)
        // Where its host is cut off it joins when it can.
        if host == nil { _ = try #require(await next.line()) }
    }

    /// A killed broker comes back with what it had written down.
    private func hitBroker() async throws {
        self.broker.send(SIGKILL)
        self.kills += 1
        _ = await self.broker.wait()
        self.broker = try FixtureProgram(
            self.brokerArguments, environment: self.environment, on: self.network.map { try $0["broker"] })
        self.see(self.broker.processID)
        _ = try #require(await self.broker.line())
    }

    private func hitHost(_ step: ChaosSchedule.Step, _ group: inout ThrowingTaskGroup<Void, any Error>) throws {
        guard let network else { return }
        let host = try network[step.choice % 2 == 0 ? "one" : "two"]
        let length: Duration
        switch step.action {
        case .cut(let cut, let duration):
            try cut.make(network, host)
            self.cuts += 1
            length = duration
        case .disturb(let duration):
            let way = NetworkSwitch.Way(loss: 0.05, duplicates: 0.05, delay: 0...15)
            let others = network.hosts.filter { $0 !== host }
            network.set(way, from: [host], to: others)
            network.set(way, from: others, to: [host])
            self.disturbances += 1
            length = duration
        case .kill, .freeze: return
        }
        group.addTask {
            try? await Task.sleep(for: length)
            network.heal()
        }
    }

    private func hit(
        _ victims: [Int32], _ step: ChaosSchedule.Step, _ group: inout ThrowingTaskGroup<Void, any Error>
    ) {
        guard !victims.isEmpty else { return }
        let victim = victims[step.choice % victims.count]
        switch step.action {
        case .kill:
            kill(victim, SIGKILL)
            self.kills += 1
        case .freeze(let duration):
            kill(victim, SIGSTOP)
            self.freezes += 1
            group.addTask {
                try? await Task.sleep(for: duration)
                // Its number may belong to nobody by now, and hardly to another process that was stopped.
                kill(victim, SIGCONT)
            }
        case .cut, .disturb: break
        }
    }

    private func workers() -> [Int32] {
        self.nodes.flatMap { ProcessTable.children(of: $0.program.processID, named: "mesh-fixtures") }
            .filter(ProcessTable.isRunning).sorted()
    }

    private func look() { for worker in self.workers() { self.see(worker) } }

    private func see(_ process: Int32) {
        if let life = ProcessTable.life(of: process) { self.processes.insert(life) }
    }
}
