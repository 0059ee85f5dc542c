import ActorMesh
import Foundation
import Glibc
import MeshFixtures
import MeshSecurity
import Testing

/// A mesh over several hosts: a broker on `broker`, nodes on others, drivers where they are wanted; with a lease time of
/// two seconds unless another is wanted. The processes talk by TCP and have a key, since no two hosts share a loopback interface.
final class NetworkCluster: Sendable {
    let network: Network
    let broker: FixtureProgram
    let address: String
    private let environment: [String: String]
    private let folder: String

    private let leaseMilliseconds: Int

    /// Starts the broker.
    ///
    /// - Parameters:
    ///   - binding: where it takes in messages; nil: at port 4711 of its address.
    ///   - keepsRegistry: whether the broker is one that comes back with what it knows, so that nodes which do not hear
    ///     it wait for it.
    init(
        _ network: Network, leaseMilliseconds: Int = 2000, binding: String? = nil, keepsRegistry: Bool = true
    ) async throws {
        self.network = network
        self.leaseMilliseconds = leaseMilliseconds
        let folder = FileManager.default.temporaryDirectory.path + "/network-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        self.folder = folder
        try KeyFile.write(MeshKey.make(), to: "\(folder)/mesh.key")
        self.environment = ["FIXTURES_LEASE": "\(leaseMilliseconds)", "MESH_KEY_FILE": "\(folder)/mesh.key"]
        let host = try network["broker"]
        self.broker = try FixtureProgram(
            ["broker", "--bind", binding ?? "tcp://\(host.host):4711"],
            environment: self.environment.merging(keepsRegistry ? ["FIXTURES_STORE": "forgetful"] : [:]) { $1 },
            on: host)
        let line = try #require(await self.broker.line())
        self.address = try #require(line.split(separator: " ").last.map(String.init))
    }

    deinit { try? FileManager.default.removeItem(atPath: self.folder) }

    /// Starts a node on a host, with the host's name unless it is given another, and waits until it has joined.
    func node(on host: String, named name: String? = nil, _ options: String...) async throws -> FixtureProgram {
        let node = try FixtureProgram(
            ["node", "--mesh", self.address, "--name", name ?? host, "--cpus", "4"] + options,
            environment: self.environment, on: self.network[host])
        _ = try #require(await node.line())
        return node
    }

    /// Runs a body as a driver on a host, in the process of the test: at most one at a time.
    func drive<Result: Sendable>(
        on host: String, _ body: @escaping @Sendable (Mesh) async throws -> Result
    ) async throws -> Result {
        let settings = MeshSettings(
            leaseTime: .milliseconds(self.leaseMilliseconds),
            heartbeatInterval: .milliseconds(self.leaseMilliseconds / 10))
        let configuration = MeshConfiguration(
            address: self.address, keyFile: "\(self.folder)/mesh.key", program: Fixtures.program, settings: settings)
        // The sockets, and the threads that use them, are made by the host's thread, and so on that host.
        return try await withTaskExecutorPreference(try self.network[host]) {
            try await withMesh(configuration, body)
        }
    }
}
