import Glibc
import Logging
import MeshCluster
import MeshCore
import MeshRuntime

/// Runs a broker until the process is told to end.
func runBroker(_ configuration: MeshConfiguration) async throws {
    let bind = configuration.bind.isEmpty ? ["tcp://127.0.0.1:4711"] : configuration.bind
    let directory = try RuntimeDirectory.make()
    defer { directory.remove() }
    let process = try MeshProcess(
        directory: directory.path, bind: bind, settings: configuration.settings,
        logger: Logger(label: "actormesh.broker"))
    process.mesh.setMembership(
        Membership(mesh: process.mesh, program: programName(), broker: process.mesh.address))
    try await process.hostBroker()
    say("broker ready at \(process.mesh.address.endpoints.filter { $0.hasPrefix("tcp") }.joined(separator: " "))", to: 1)
    await terminationSignal()
    process.end(reason: "the broker was told to end")
}

/// Runs a node until the process is told to end.
func runNode(_ configuration: MeshConfiguration) async throws {
    let address = configuration.address ?? getenv("MESH_ADDRESS").map { String(cString: $0) }
    guard let address, !address.isEmpty else {
        throw MeshError(.invalidArgument, "A node needs the address of its broker: --mesh tcp://HOST:PORT.")
    }
    let program = configuration.program ?? programName()
    let directory = try RuntimeDirectory.make()
    defer { directory.remove() }
    let bind = configuration.bind.isEmpty ? ["tcp://127.0.0.1:*"] : configuration.bind
    let process = try MeshProcess(
        directory: directory.path, bind: bind, settings: configuration.settings,
        logger: Logger(label: "actormesh.node"))
    let mesh = process.mesh
    do {
        let membership = Membership(mesh: mesh, program: program, broker: nil, endpoint: address)
        mesh.setMembership(membership)
        let node = try await process.hostNode(configuration, program: program)
        try await membership.join { broker in
            try await broker.register(try await node.describe(), actors: try await node.specs())
            if let address = membership.brokerAddress { try await node.brokerChanged(address) }
        }
        try await node.refill()
        say("node \(try await node.describe().name) has joined \(address) with program \(program)", to: 1)
        await terminationSignal()
        try? await node.shutDown()
    } catch {
        process.end(reason: "it could not join")
        throw error
    }
    process.end(reason: "the node was told to end")
}

/// Writes a line at once, past the buffers of the C library.
func say(_ text: String, to descriptor: Int32) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
}
