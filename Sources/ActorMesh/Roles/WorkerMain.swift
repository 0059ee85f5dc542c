import CMeshPlatform
import Glibc
import Logging
import MeshCluster
import MeshCore
import MeshRuntime

/// Serves a node, and never returns, when this process was started as a worker. Everybody else goes on.
package func serveIfWorker(_ configuration: MeshConfiguration) async throws {
    guard let bootstrap = try WorkerBootstrap.take() else { return }
    await WorkerMain.run(bootstrap, configuration, program: configuration.program ?? programName())
}

/// What a worker process does: it waits for its node to give it actors and tasks, and ends with its node.
enum WorkerMain {
    /// From now on what this process logs goes to its node.
    private static func openLogs() {
        for descriptor in [WorkerLauncher.ringDescriptor, WorkerLauncher.doorbellDescriptor] {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        guard let ring = try? LogRing(descriptor: WorkerLauncher.ringDescriptor, isNew: false) else { return }
        _ = LogOutlet.add(RingSink(ring: ring, doorbell: WorkerLauncher.doorbellDescriptor))
    }

    /// Runs until the node ends. Never returns.
    static func run(_ bootstrap: WorkerBootstrap, _ configuration: MeshConfiguration, program: String) async -> Never {
        // With its node gone a worker has no purpose; nothing that user code does may keep it.
        signal(SIGPIPE, SIG_IGN)
        // Its output is a pipe to its node; a line that is printed must not be lost when it is killed.
        cmesh_buffer_output_by_line()
        Self.openLogs()
        let logger = Logger(label: "actormesh.worker")
        var settings = configuration.settings
        settings.localTransport = bootstrap.localTransport
        settings.leaseTime = bootstrap.leaseTime
        settings.heartbeatInterval = bootstrap.heartbeatInterval
        do {
            let process = try MeshProcess(
                directory: bootstrap.directory, bind: bootstrap.bind, advertise: bootstrap.advertise,
                keyFile: bootstrap.bind.isEmpty ? nil : bootstrap.keyFile, revoked: bootstrap.revokedKeys,
                settings: settings,
                stateStore: configuration.effectiveStateStore, logger: logger)
            let mesh = process.mesh
            try mesh.watcher.watch(descriptor: WorkerLauncher.lifelineDescriptor, owned: false) { _exit(0) }
            _ = try await mesh.hostService(WorkerAgent.self, WellKnown.worker) { WorkerAgent(actorSystem: $0) }
            mesh.objects.setKeeper(bootstrap.node)
            let node = try mesh.service(NodeAgent.self, WellKnown.node, at: bootstrap.node)
            mesh.setMembership(
                Membership(mesh: mesh, program: program, broker: bootstrap.broker, node: bootstrap.node.peer))
            mesh.whenActorExits { [weak mesh, leaseTime = settings.leaseTime] actor, incarnation in
                // A node that does not answer ends this process anyway.
                try? await mesh?.withDeadline(leaseTime) {
                    try await node.exiting(actor, incarnation: incarnation)
                }
            } _: { [weak mesh] actor, incarnation in
                mesh?.detach { try await node.exited(actor, incarnation: incarnation) }
            }
            // What only the start needed is more than half of an idle worker's memory.
            cmesh_release_program_pages()
            try await node.workerReady(bootstrap.token, mesh.address)
            NodeTether.keep(on: mesh, from: node)
        } catch {
            logger.error("a worker could not start", metadata: ["error": "\(error)"])
            _exit(70)
        }
        while true { try? await Task.sleep(for: .seconds(3600)) }
    }
}
