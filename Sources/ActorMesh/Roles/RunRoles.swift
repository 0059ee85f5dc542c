import Glibc
import Logging
import MeshCluster
import MeshCore
import MeshRuntime

/// Runs a broker until the process is told to end. Says on standard output when it is ready, and where.
///
/// - Parameter dashboard: where a dashboard of it is to listen; nil for none.
package func runBroker(_ configuration: MeshConfiguration, dashboard: String? = nil) async throws {
    let termination = await TerminationSignal()
    let bind = configuration.bind.isEmpty ? ["tcp://127.0.0.1:4711"] : configuration.bind
    let directory = try RuntimeDirectory.make()
    defer { directory.remove() }
    let process = try MeshProcess(
        directory: directory.path, bind: bind, advertise: configuration.advertise, bindPatience: 2_000_000_000,
        keyFile: configuration.effectiveKeyFile,
        role: "A broker", settings: configuration.settings, logger: Logger(label: "actormesh.broker"))
    process.mesh.setMembership(
        Membership(mesh: process.mesh, program: programName(), broker: process.mesh.address))
    do {
        try await process.hostBroker(
            expectsReturns: true, store: configuration.registryStore, logs: configuration.logs)
    } catch {
        process.end(reason: "it could not be started")
        throw error
    }
    say("broker ready at \(process.publicEndpoints.joined(separator: " "))", to: 1)
    if let dashboard, let endpoint = process.mesh.address.endpoints.first {
        DashboardProcess.start(
            at: dashboard, broker: endpoint, name: process.publicEndpoints.first ?? endpoint,
            keyFile: configuration.effectiveKeyFile)
    }
    await termination.wait()
    process.end(reason: "the broker was told to end")
}

/// Runs a node until the process is told to end. Says on standard output when it has joined.
package func runNode(_ configuration: MeshConfiguration) async throws {
    let termination = await TerminationSignal()
    guard let address = configuration.broker else {
        throw UsageError("A node needs the address of its broker: --mesh tcp://HOST:PORT, or MESH_ADDRESS.")
    }
    let program = configuration.program ?? programName()
    let directory = try RuntimeDirectory.make()
    defer { directory.remove() }
    let process = try joiningProcess(
        address, configuration, directory: directory.path, role: "A node", logger: Logger(label: "actormesh.node"))
    let mesh = process.mesh
    do {
        let membership = Membership(mesh: mesh, program: program, broker: nil, endpoint: address)
        mesh.setMembership(membership)
        let node = try await process.hostNode(configuration, program: program)
        let abandonment = Abandonment()
        let loss = Membership.Loss(fence: { try? await node.fence() }, abandon: { abandonment.declare() })
        try await membership.join(timeout: configuration.joinTimeout, loss: loss) { broker in
            try await node.present(to: broker)
        }
        try await node.refill()
        say("node \(try await node.describe().name) has joined \(address) with program \(program)", to: 1)
        let isAbandoned = await abandonment.isDeclared(before: termination)
        try? await node.shutDown()
        if isAbandoned {
            throw MeshError(
                .brokerUnavailable,
                "The broker at \(address) has been away for \(membership.terms.absence); this node ends, with its "
                    + "actors. Start the broker, and the node again.")
        }
    } catch {
        process.end(reason: "it has lost its mesh")
        throw error
    }
    process.end(reason: "the node was told to end")
}

/// The sockets of a process that joins the broker at an address.
func joiningProcess(
    _ broker: String, _ configuration: MeshConfiguration, directory: String, role: String? = nil, logger: Logger
) throws(MeshError) -> MeshProcess {
    let bind =
        configuration.bind.isEmpty
        ? [try LocalAddress.binding(toward: broker, advertised: configuration.advertise)] : configuration.bind
    return try MeshProcess(
        directory: directory, bind: bind, advertise: configuration.advertise, broker: broker,
        keyFile: configuration.effectiveKeyFile, role: role,
        settings: configuration.settings,
        stateStore: configuration.effectiveStateStore, logger: logger)
}

/// Writes a line at once, past the buffers of the C library.
package func say(_ text: String, to descriptor: Int32) {
    let line = Array((text + "\n").utf8)
    _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
}
