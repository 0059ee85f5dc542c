import ActorMesh
import Glibc
import MeshFixtures
import Testing

/// A broker and nodes of the fixtures program, each in a process of its own, with a lease time of two seconds.
final class Cluster: Sendable {
    let broker: FixtureProgram
    let nodes: [FixtureProgram]
    let address: String

    /// The first node.
    var node: FixtureProgram { self.nodes[0] }

    private let environment: [String: String]
    private let resources: [String]
    private let brokerArguments: [String]

    /// - Parameters:
    ///   - nodes: what the nodes are called.
    ///   - environment: what the programs find there, besides the lease time.
    ///   - resources: what each node is told that it has, besides four CPUs.
    ///   - brokerArguments: what else the broker is told.
    init(
        nodes: [String] = ["fixtures"], environment: [String: String] = [:], resources: [String] = [],
        brokerArguments: [String] = []
    ) async throws {
        self.brokerArguments = brokerArguments
        self.resources = resources
        self.environment = ["FIXTURES_LEASE": "2000"].merging(environment) { $1 }
        self.broker = try FixtureProgram(
            ["broker", "--bind", "tcp://127.0.0.1:*"] + brokerArguments, environment: self.environment)
        let line = try #require(await self.broker.line())
        self.address = try #require(line.split(separator: " ").last.map(String.init))
        var started: [FixtureProgram] = []
        for name in nodes {
            started.append(try await Self.node(name, of: self.address, environment: self.environment, resources))
        }
        self.nodes = started
    }

    private static func node(
        _ name: String, of address: String, environment: [String: String], _ resources: [String]
    ) async throws -> FixtureProgram {
        let node = try FixtureProgram(
            ["node", "--mesh", address, "--name", name, "--cpus", "4"] + resources, environment: environment)
        _ = try #require(await node.line())
        return node
    }

    /// One more node, which has joined; the caller keeps it.
    func join(_ name: String) async throws -> FixtureProgram {
        try await Self.node(name, of: self.address, environment: self.environment, self.resources)
    }

    /// Another broker where the first one was.
    func restartBroker() async throws -> FixtureProgram {
        let broker = try FixtureProgram(
            ["broker", "--bind", self.address] + self.brokerArguments, environment: self.environment)
        _ = try #require(await broker.line())
        return broker
    }

    /// A driver in a process of its own.
    func driver(_ task: String) throws -> FixtureProgram {
        try FixtureProgram(task, "--mesh", self.address, environment: self.environment)
    }

    /// Runs a body as a driver, in the process of the test.
    func drive<Result: Sendable>(_ body: @Sendable (Mesh) async throws -> Result) async throws -> Result {
        let settings = MeshSettings(leaseTime: .seconds(2), heartbeatInterval: .milliseconds(200))
        return try await withMesh(
            MeshConfiguration(address: self.address, program: Fixtures.program, settings: settings), body)
    }
}

extension Mesh {
    /// What the broker knows of the actor with a name.
    func info(_ name: String) async throws -> ActorInfo? {
        try await self.actors().first { $0.name == name }
    }
}
