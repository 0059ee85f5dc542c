import FoundationEssentials
import Glibc
import Logging
import MeshCluster
import MeshCore
import MeshRuntime
import MeshSecurity
import MeshTransportZeroMQ
import Synchronization

/// A process's part of a mesh with its sockets, from start to end.
struct MeshProcess: Sendable {
    let mesh: Mesh
    let directory: String
    /// The file of its key, which its workers need as well; nil in a mesh without one.
    let keyFile: String?
    /// What it was told to bind beside a socket for its own host.
    let bind: [String]

    /// Binds the sockets and begins to receive.
    ///
    /// - Parameters:
    ///   - advertise: as what others reach it; empty: as what it binds, see ``AdvertisedAddresses``.
    ///   - bindPatience: for how many nanoseconds to wait for an address that is in use.
    ///   - broker: where the broker is, if that is known: others reach this process by the same way.
    ///   - keyFile: the file of the mesh's key, without which others reach it only from this host.
    ///   - role: what the key must be good for.
    init(
        directory: String, bind: [String], advertise: [String] = [], bindPatience: UInt64 = 0, broker: String? = nil,
        keyFile: String?,
        role: String? = nil, revoked: Set<KeyIdentity> = [], settings: MeshSettings,
        stateStore: (any StateStore)? = nil, logger: Logger
    ) throws(MeshError) {
        let key = try keyFile.map { path throws(MeshError) in try KeyFile.read(path) }
        if let role, let key, key.identity != .member {
            throw MeshError(
                .unauthorized,
                "\(role) needs the mesh key; \(keyFile ?? "the key file") has the key of \(key.identity), who may not be one."
            )
        }
        let peer = PeerID.random(for: key?.identity ?? .member)
        let transport = try ZeroMQTransport(
            bind: ["ipc://\(directory)/\(peer)"] + bind, patience: bindPatience, key: key)
        let endpoints: [String]
        do throws(MeshError) {
            endpoints = try AdvertisedAddresses.of(transport.endpoints, told: advertise) { endpoint in
                LocalAddress.addresses(of: endpoint, toward: broker)
            }
        } catch {
            transport.close()
            throw error
        }
        let address = PeerAddress(
            peer: peer,
            host: ProcessStatus.hostID(),
            processID: getpid(),
            startTime: ProcessStatus.startTime(of: getpid()) ?? 0,
            endpoints: endpoints
        )
        var settings = settings
        settings.availableMemory = { NodeResources.memory(.own) }
        self.mesh = Mesh(
            transport: transport, address: address, settings: settings, stateStore: stateStore, logger: logger)
        self.directory = directory
        self.keyFile = keyFile
        self.bind = bind
        self.mesh.revoke(revoked)
        self.mesh.start()
    }

    /// Where other hosts reach this process.
    var publicEndpoints: [String] { self.mesh.address.endpoints.filter { !$0.hasPrefix("ipc://\(self.directory)") } }

    /// Makes this process a broker.
    ///
    /// - Parameters:
    ///   - expectsReturns: whether there may have been another broker here, whose nodes come back.
    ///   - store: where the broker writes down what it knows, and finds what an earlier one did.
    ///   - logs: where it keeps what the mesh says, and how much.
    func hostBroker(
        expectsReturns: Bool = false, store: (any RegistryStore)? = nil, logs: LogSettings
    ) async throws {
        let mesh = self.mesh
        let stored = try await store?.open() ?? StoredRegistry()
        // Before anybody can find the broker, and bring logs.
        try await self.hostLogs(logs)
        _ = try await mesh.hostService(Broker.self, WellKnown.broker) { mesh in
            try Broker(actorSystem: mesh, expectsReturns: expectsReturns, store: store, stored: stored)
        }
        try await Broker.begin(on: mesh)
    }

    /// Makes this process, a broker's, keep the logs of the mesh: in a folder, or else in memory.
    private func hostLogs(_ settings: LogSettings) async throws {
        let directory = try settings.directory.map { path throws(MeshError) in try LogDirectory(path) }
        let size = settings.size.map { Int(clamping: $0.bytes) } ?? (directory == nil ? 32 << 20 : 1 << 30)
        let limits = LogStore.Limits(size: size, age: settings.age.nanoseconds)
        _ = try await self.mesh.hostService(LogCollector.self, WellKnown.logs) { mesh in
            try LogCollector(actorSystem: mesh, directory: directory, limits: limits)
        }
    }

    /// Makes this process a node: it starts workers of its program.
    func hostNode(_ configuration: MeshConfiguration, program: String) async throws -> NodeAgent {
        var command = WorkerLauncher.Command.own()
        if let executable = configuration.workerExecutable {
            command = WorkerLauncher.Command(executable: executable, arguments: [executable])
        }
        guard isExecutable(command.executable) else {
            throw MeshError(
                .systemFailure,
                "The program \(command.executable) cannot be run. Give the path of an executable.")
        }
        let name = configuration.nodeName ?? hostName()
        let logs = try self.openLogs(configuration, name: name)
        let launcher = try WorkerLauncher(command: command, logs: logs)
        let own = try NodeResources(
            declared: configuration.resources, detectsGPUs: configuration.resources == nil || configuration.detectsGPUs)
        let resources = own.resources
        let registration = NodeRegistration(
            name: name, address: self.mesh.address, programs: [program],
            resources: resources)
        let directory = self.directory
        let (bind, keyFile) = (self.bind, self.keyFile)
        _ = try await self.mesh.hostService(NodeAgent.self, WellKnown.node) { mesh in
            NodeAgent(
                actorSystem: mesh, launcher: launcher, registration: registration, directory: directory,
                bind: bind, keyFile: keyFile, warmWorkers: configuration.warmWorkers ?? 2,
                taskSlots: Int(resources.cpus + 0.999), gpuDevices: own.gpuDevices)
        }
        // Its workers give it their large values.
        self.mesh.objects.prepare(on: self.mesh)
        NodeAgent.watchWorkers(on: self.mesh)
        LogShipper.start(logs, on: self.mesh)
        if configuration.broker == nil { self.openOutlet(logs) }
        return try self.mesh.service(NodeAgent.self, WellKnown.node, at: self.mesh.address)
    }

    /// From now on what this program logs goes to the collector.
    func openOutlet(_ logs: NodeLogs) {
        let token = LogOutlet.add(ProgramLog(logs))
        self.mesh.extensions.withLock { $0[ObjectIdentifier(ProgramLog.self)] = token }
    }

    /// Makes what this program, a driver, logs go to the collector.
    func openOutlet() {
        let logs = NodeLogs(node: hostName())
        logs.whenFirst { [weak mesh = self.mesh] in if let mesh { LogShipper.start(logs, on: mesh) } }
        self.openOutlet(logs)
        self.mesh.extensions.withLock { $0[ObjectIdentifier(NodeLogs.self)] = logs }
    }

    /// Shows on this program's output, a driver's, what is said on its behalf.
    func showWorkers(_ style: WorkerOutputStyle) async throws {
        guard style != .none else { return }
        let view = try await WorkerView(style, on: self.mesh) { say($0, to: $1) }
        view.follow()
        self.mesh.extensions.withLock { $0[ObjectIdentifier(WorkerView.self)] = view }
    }

    /// Shows what is left, and no more from then on.
    func hideWorkers() async {
        let view = self.mesh.extensions.withLock { $0.removeValue(forKey: ObjectIdentifier(WorkerView.self)) }
        await (view as? WorkerView)?.finish()
    }

    /// Waits, not for long, until the collector has what this program logged.
    func flushOutlet() async {
        guard let logs = self.mesh.extensions.withLock({ $0[ObjectIdentifier(NodeLogs.self)] }) as? NodeLogs else {
            return
        }
        await waitForCallback(atMost: 1_000_000_000, on: self.mesh) { logs.whenCollected($0) }
    }

    /// Where what the workers say waits until it is collected: on disk, unless the collector is in this process too.
    private func openLogs(_ configuration: MeshConfiguration, name: String) throws -> NodeLogs {
        let style = configuration.effectiveWorkerOutput
        guard let broker = configuration.broker else { return NodeLogs(node: name, style: style) }
        let limit = configuration.logs.spoolSize.map { Int(clamping: $0.bytes) } ?? 256 << 20
        let directory: LogDirectory
        do throws(MeshError) {
            directory = try LogSpoolFolder.open(configuration.logs.spool, node: name, broker: broker)
        } catch {
            // One that was asked for is needed.
            guard configuration.logs.spool == nil else { throw error }
            self.mesh.logger.warning(
                "what workers say is kept in memory until it is collected", metadata: ["reason": "\(error.message)"])
            return NodeLogs(node: name, style: style)
        }
        return try NodeLogs(node: name, directory: directory, style: style, limit: limit)
    }

    /// Ends this process's part.
    func end(reason: String) {
        if let token = self.mesh.extensions.withLock({ $0[ObjectIdentifier(ProgramLog.self)] }) as? UInt64 {
            LogOutlet.remove(token)
        }
        self.mesh.stop(reason: reason)
        self.mesh.close()
    }
}

/// Whether a file is one that this process may execute.
package func isExecutable(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
}

/// The name of this machine.
func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "node" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Where this program's executable lies.
package func programFolder() -> String {
    let path = WorkerLauncher.Command.own().executable
    return path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
}

/// The name of this program: that of its executable.
func programName() -> String {
    let path = WorkerLauncher.Command.own().executable
    return path.split(separator: "/").last.map(String.init) ?? "program"
}
