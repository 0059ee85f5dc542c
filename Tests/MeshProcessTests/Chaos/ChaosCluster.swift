import ActorMesh
import Glibc
import MeshFixtures
import Testing

/// A broker, nodes and drivers of the fixtures program, each in a process of its own, and what is done to them.
actor ChaosCluster {
    let address: String
    private let broker: FixtureProgram
    private let environment: [String: String]
    private var nodes: [FixtureProgram] = []
    private var started = 0
    /// Every process that was ever seen.
    private(set) var processes: Set<Int32>
    private(set) var kills = 0
    private(set) var freezes = 0

    init(nodes: Int, leaseTime: Duration) async throws {
        self.environment = ["FIXTURES_LEASE": "\(leaseTime / .milliseconds(1))".split(separator: ".")[0].description]
        self.broker = try FixtureProgram(["broker", "--bind", "tcp://127.0.0.1:*"], environment: self.environment)
        self.processes = [self.broker.processID]
        let line = try #require(await self.broker.line())
        self.address = try #require(line.split(separator: " ").last.map(String.init))
        for _ in 0..<nodes { try await self.addNode() }
    }

    /// Starts a driver that calls for so many seconds.
    func addDriver(
        _ index: Int, of count: Int, directory: String, seed: UInt64, seconds: Double
    ) throws
        -> FixtureProgram
    {
        let driver = try FixtureProgram(
            ["chaos", directory, "\(index)", "\(count)", "\(seed)", "\(seconds)", "--mesh", self.address],
            environment: self.environment)
        self.processes.insert(driver.processID)
        return driver
    }

    /// Does what a schedule says, and returns when the last frozen process goes on.
    func run(_ schedule: ChaosSchedule) async throws {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for step in schedule.steps {
                try await Task.sleep(until: start + step.time, clock: .continuous)
                self.look()
                switch step.victim {
                case .worker: self.hit(self.workers(), step, &group)
                case .node: try await self.hitNode(step, &group)
                }
            }
            try await group.waitForAll()
        }
    }

    /// Ends the nodes and the broker in good order.
    func end() async {
        self.look()
        for program in self.nodes + [self.broker] {
            program.send(SIGTERM)
            _ = await program.wait()
        }
    }

    private func addNode() async throws {
        self.started += 1
        let node = try FixtureProgram(
            ["node", "--mesh", self.address, "--name", "node-\(self.started)", "--cpus", "64"],
            environment: self.environment)
        self.processes.insert(node.processID)
        _ = try #require(await node.line())
        self.nodes.append(node)
    }

    /// A killed node gets a successor, once it has ended.
    private func hitNode(_ step: ChaosSchedule.Step, _ group: inout ThrowingTaskGroup<Void, any Error>) async throws {
        let position = step.choice % self.nodes.count
        self.hit([self.nodes[position].processID], step, &group)
        guard step.action == .kill else { return }
        _ = await self.nodes.remove(at: position).wait()
        try await self.addNode()
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
        }
    }

    private func workers() -> [Int32] {
        self.nodes.flatMap { ProcessTable.children(of: $0.processID, named: "mesh-fixtures") }
            .filter(ProcessTable.isRunning).sorted()
    }

    private func look() { self.processes.formUnion(self.workers()) }
}
