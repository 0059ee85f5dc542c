import Logging
import MeshCluster
import MeshCore
public import MeshRuntime

/// Runs code as a part of a mesh, and leaves the mesh when it returns or throws.
///
/// Without an address, in the configuration or in the environment variable `MESH_ADDRESS`, the mesh is embedded: this
/// process is broker and node, its workers are child processes, and all of it ends with the scope, or with the process
/// in whatever way that ends. With an address the process joins the mesh that runs there as a driver; the actors that
/// it spawned and that are not detached end when it leaves.
///
/// The workers of an embedded mesh run this program's executable again, with the same arguments, as far as its first
/// call of `withMesh`, which then serves the mesh instead of running `body`. So keep what stands before it short and
/// free of effects, or give `workerExecutable`.
///
/// - Throws: what `body` throws; a ``MeshError`` when the mesh cannot be started or joined.
public func withMesh<Result: Sendable>(
    _ configuration: MeshConfiguration = MeshConfiguration(),
    _ body: @Sendable (Mesh) async throws -> Result
) async throws -> Result {
    let program = configuration.program ?? programName()
    try await serveIfWorker(configuration)
    if let address = configuration.broker {
        return try await withJoinedMesh(address, configuration, program: program, body)
    }
    return try await withEmbeddedMesh(configuration, program: program, body)
}

private func withEmbeddedMesh<Result: Sendable>(
    _ configuration: MeshConfiguration, program: String, _ body: @Sendable (Mesh) async throws -> Result
) async throws -> Result {
    let directory = try RuntimeDirectory.make()
    defer { directory.remove() }
    let process = try MeshProcess(
        directory: directory.path, bind: configuration.bind, advertise: configuration.advertise,
        // One that nobody else can reach needs none.
        keyFile: configuration.bind.isEmpty ? nil : configuration.effectiveKeyFile, role: "An embedded mesh",
        settings: configuration.settings,
        stateStore: configuration.effectiveStateStore, logger: Logger(label: "actormesh"))
    let mesh = process.mesh
    mesh.setMembership(Membership(mesh: mesh, program: program, broker: mesh.address))
    do {
        try await process.hostBroker(logs: configuration.logs)
        let node = try await process.hostNode(configuration, program: program)
        _ = try await node.present(to: try mesh.membership.broker())
        try await node.refill()
    } catch {
        process.end(reason: "it could not be started")
        throw error
    }
    return try await finish(process, body) {
        try? await mesh.service(NodeAgent.self, WellKnown.node, at: mesh.address).shutDown()
    }
}

private func withJoinedMesh<Result: Sendable>(
    _ address: String, _ configuration: MeshConfiguration, program: String,
    _ body: @Sendable (Mesh) async throws -> Result
) async throws -> Result {
    let directory = try RuntimeDirectory.make()
    defer { directory.remove() }
    let process = try joiningProcess(
        address, configuration, directory: directory.path, logger: Logger(label: "actormesh"))
    let mesh = process.mesh
    do {
        let membership = Membership(mesh: mesh, program: program, broker: nil, endpoint: address)
        mesh.setMembership(membership)
        try await membership.join(timeout: configuration.joinTimeout) { broker in try await broker.join(mesh.address) }
        process.openOutlet()
        try await process.showWorkers(configuration.effectiveWorkerOutput)
    } catch {
        process.end(reason: "it could not join")
        throw error
    }
    return try await finish(process, body) {
        await process.hideWorkers()
        await process.flushOutlet()
        await mesh.leave()
    }
}

/// Runs the body on the mesh's threads, where its calls need no change of thread, and takes everything down.
private func finish<Result: Sendable>(
    _ process: MeshProcess, _ body: @Sendable (Mesh) async throws -> Result, _ leave: () async -> Void
) async throws -> Result {
    let mesh = process.mesh
    do {
        let result = try await withTaskExecutorPreference(mesh.executor) { try await body(mesh) }
        await leave()
        process.end(reason: "its program has ended")
        return result
    } catch {
        await leave()
        process.end(reason: "its program has failed")
        throw error
    }
}
