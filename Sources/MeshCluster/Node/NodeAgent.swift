import CMeshPlatform
package import Distributed
import FoundationEssentials
import Glibc
import Logging
package import MeshCore
package import MeshRuntime

/// Starts, watches and ends the worker processes of a node.
package distributed actor NodeAgent {
    package typealias ActorSystem = Mesh

    private struct Worker {
        var token: UInt64
        var process: LaunchedWorker
        var address: PeerAddress
        var actors: [UniqueID: ActorSpec] = [:]
        /// Whether it has been given out: to an actor, as the shared one, or to a submitter of tasks.
        var isTaken = false
        var leasedBy: PeerID?
    }

    private struct Launch {
        var process: LaunchedWorker
        /// Which broker it was told of.
        var broker: PeerID?
        /// Who waits for it; nil for one that is kept warm.
        var waiter: UnsafeContinuation<Result<PeerID, MeshError>, Never>?
    }

    private let launcher: WorkerLauncher
    private let registration: NodeRegistration
    private let directory: String
    private let warmTarget: Int
    private let taskSlots: Int
    private var launches: [UInt64: Launch] = [:]
    private var nextToken: UInt64 = 1
    private var workers: [PeerID: Worker] = [:]
    private var idle: [PeerID] = []
    private var sharedWorker: Task<PeerID, any Error>?
    private var leases = 0
    private var leaseWaiters: [UnsafeContinuation<Void, Never>] = []
    private var isStopping = false
    private var isRefilling = false

    package init(
        actorSystem: Mesh, launcher: WorkerLauncher, registration: NodeRegistration, directory: String,
        warmWorkers: Int, taskSlots: Int
    ) {
        self.actorSystem = actorSystem
        self.launcher = launcher
        self.registration = registration
        self.directory = directory
        self.warmTarget = warmWorkers
        self.taskSlots = max(1, taskSlots)
    }

    private var mesh: Mesh { self.actorSystem }

    private var membership: Membership {
        get throws(MeshError) {
            do {
                return try self.mesh.membership
            } catch {
                throw MeshError(.brokerUnavailable, "The node has left its mesh.", cause: error)
            }
        }
    }

    // MARK: Actors

    /// Makes an actor in one of this node's workers.
    package distributed func start(_ spec: ActorSpec) async throws -> StartOutcome {
        if !spec.isOfLibrary { try self.check(spec.program, for: spec.displayType) }
        let worker = spec.options.placement == .shared ? try await self.shared() : try await self.take()
        self.workers[worker]?.actors[spec.id] = spec
        do {
            if spec.options.placement == .process, let memory = spec.options.resources?.memory, memory > .bytes(0) {
                try self.workers[worker]?.process.limitMemory(to: memory)
            }
            let outcome = try await self.agent(worker).start(spec)
            if case .failed = outcome { self.forget(spec.id, in: worker) }
            return outcome
        } catch {
            self.forget(spec.id, in: worker)
            throw error
        }
    }

    /// Ends an actor; the process too when it had one of its own.
    package distributed func stop(_ actor: UniqueID) async throws {
        guard let worker = self.workers.values.first(where: { $0.actors[actor] != nil }) else { return }
        if worker.actors[actor]?.options.placement == .shared {
            self.workers[worker.address.peer]?.actors[actor] = nil
            try await self.agent(worker.address.peer).stop(actor)
        } else {
            self.workers[worker.address.peer]?.actors = [:]
            self.end(worker.address.peer)
        }
    }

    private func forget(_ actor: UniqueID, in worker: PeerID) {
        guard let spec = self.workers[worker]?.actors.removeValue(forKey: actor) else { return }
        // Whatever its initialiser left behind goes with the process.
        if spec.options.placement == .process { self.end(worker) }
    }

    private func check(_ program: String, for type: String) throws(MeshError) {
        guard !self.registration.programs.contains(program) else { return }
        throw MeshError(
            .typeNotFound,
            "Node \(self.registration.name) does not run the program \"\(program)\" that has \(type).")
    }

    // MARK: Tasks

    /// A worker of its own for a submitter of tasks; waits until one of the node's slots is free.
    package distributed func leaseWorker(program: String, for owner: PeerID) async throws -> WorkerLease {
        try self.check(program, for: "the task")
        // A task that submits others and awaits them holds a slot itself: it must not wait for one that may never
        // become free.
        let isNested = self.workers[owner]?.leasedBy != nil
        if self.leases >= self.taskSlots, !isNested {
            await withUnsafeContinuation { self.leaseWaiters.append($0) }
        } else {
            self.leases += 1
        }
        do {
            try Task.checkCancellation()
            let worker = try await self.take()
            self.workers[worker]?.leasedBy = owner
            // Whoever asked may have gone in the meantime.
            if Task.isCancelled { try await self.returnWorker(worker) }
            guard let address = self.workers[worker]?.address else {
                throw MeshError(.actorDied, "The worker ended before it could be used.")
            }
            return WorkerLease(node: self.registration.address, worker: address)
        } catch {
            self.releaseSlot()
            throw error
        }
    }

    /// Takes a worker back that has nothing more to do; the next submitter may have it.
    package distributed func returnWorker(_ worker: PeerID) async throws {
        guard self.workers[worker]?.leasedBy != nil else { return }
        self.workers[worker]?.leasedBy = nil
        self.releaseSlot()
        if self.idle.count < max(1, self.warmTarget) {
            self.workers[worker]?.isTaken = false
            self.idle.append(worker)
        } else {
            self.end(worker)
        }
    }

    /// Processes are gone that may have leased workers: what still runs there is of no use to anybody.
    package distributed func ownersLost(_ owners: [PeerID]) async throws {
        for worker in self.workers.values {
            if let owner = worker.leasedBy, owners.contains(owner) { self.end(worker.address.peer) }
        }
    }

    private func releaseSlot() {
        if self.leaseWaiters.isEmpty { self.leases -= 1 } else { self.leaseWaiters.removeFirst().resume() }
    }

    // MARK: Processes

    /// A worker process that this node started can be used now.
    package distributed func workerReady(_ token: UInt64, _ address: PeerAddress) async throws {
        guard let launch = self.launches.removeValue(forKey: token) else { return }
        self.workers[address.peer] = Worker(
            token: token, process: launch.process, address: address, isTaken: launch.waiter != nil)
        if let waiter = launch.waiter {
            waiter.resume(returning: .success(address.peer))
        } else {
            self.idle.append(address.peer)
        }
        if let broker = try self.membership.brokerAddress, broker.peer != launch.broker {
            try await self.agent(address.peer).brokerChanged(broker)
        }
    }

    /// Fills the pool of warm workers, a while after it was used so that it does not compete with the use.
    package distributed func refill() async throws {
        self.isRefilling = false
        while !self.isStopping, self.idle.count + self.warming < self.warmTarget {
            guard (try? self.launch()) != nil else { return }
        }
    }

    private var warming: Int { self.launches.values.count { $0.waiter == nil } }

    private func scheduleRefill() {
        guard !self.isRefilling, !self.isStopping else { return }
        self.isRefilling = true
        let mesh = self.mesh
        let delay = UInt64(3_000_000)
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + delay) { [weak mesh] in
            guard let mesh else { return }
            Task { try? await mesh.service(NodeAgent.self, WellKnown.node, at: mesh.address).refill() }
        }
    }

    /// A warm worker, or a new one.
    private func take() async throws(MeshError) -> PeerID {
        while let worker = self.idle.popLast() {
            guard self.workers[worker] != nil else { continue }
            self.workers[worker]?.isTaken = true
            self.scheduleRefill()
            return worker
        }
        guard !self.isStopping else { throw MeshError(.shutDown, "The node is shutting down.") }
        // One that is on its way already is as good as a new one.
        if let token = self.launches.first(where: { $0.value.waiter == nil })?.key {
            self.scheduleRefill()
            return try await self.wait(for: token)
        }
        return try await self.wait(for: try self.launch())
    }

    private func wait(for token: UInt64) async throws(MeshError) -> PeerID {
        let mesh = self.mesh
        let alarm = mesh.schedule(at: cmesh_monotonic_nanoseconds() + Self.startTime) { [weak mesh] in
            guard let mesh else { return }
            Task { try await mesh.service(NodeAgent.self, WellKnown.node, at: mesh.address).giveUp(token) }
        }
        defer { mesh.timers.cancel(alarm) }
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<PeerID, MeshError>, Never>) in
            guard self.launches[token] != nil else {
                return continuation.resume(
                    returning: .failure(MeshError(.systemFailure, "A worker process ended as soon as it was started.")))
            }
            self.launches[token]?.waiter = continuation
        }
        return try result.get()
    }

    /// How long a worker may take from its start until it is ready.
    private static let startTime: UInt64 = 30_000_000_000

    /// A worker that somebody waits for has not become ready: perhaps its program is none of a mesh.
    package distributed func giveUp(_ token: UInt64) async throws {
        guard let launch = self.launches.removeValue(forKey: token) else { return }
        launch.process.kill(.notReady)
        launch.waiter?.resume(
            returning: .failure(
                MeshError(
                    .systemFailure,
                    "A worker process of node \(self.registration.name) was not ready after 30 s. "
                        + "Does its program reach withMesh or MeshProgram.main?")))
    }

    /// Starts a worker process. Returns its token.
    private func launch() throws(MeshError) -> UInt64 {
        let token = self.nextToken
        self.nextToken += 1
        let broker = try self.membership.brokerAddress
        let bootstrap = WorkerBootstrap(
            node: self.mesh.address, broker: broker, token: token, directory: self.directory, bind: self.workerBinding,
            localTransport: self.mesh.settings.localTransport)
        let process = try self.launcher.launch(environment: [WorkerBootstrap.variable: bootstrap.text])
        let mesh = self.mesh
        let isAlive = try self.mesh.watcher.watch(processID: process.processID, startTime: 0) {
            Task {
                let node = try mesh.service(NodeAgent.self, WellKnown.node, at: mesh.address)
                try await node.processEnded(token, process.end(on: mesh))
            }
        }
        if !isAlive { throw MeshError(.systemFailure, "A worker process ended as soon as it was started.") }
        self.launches[token] = Launch(process: process, broker: broker?.peer)
        return token
    }

    /// Workers can be reached by the same ways as their node, at ports of their own.
    private var workerBinding: [String] {
        self.mesh.address.endpoints.filter { $0.hasPrefix("tcp://") }.compactMap { endpoint in
            endpoint.lastIndex(of: ":").map { "\(endpoint[..<$0]):*" }
        }
    }

    /// A process of this node has ended.
    package distributed func processEnded(_ token: UInt64, _ end: ProcessEnd) async throws {
        if let launch = self.launches.removeValue(forKey: token) {
            let message =
                "A worker process of node \(self.registration.name) \(end.reason) before it was ready\(end.lastWords)."
            launch.waiter?.resume(returning: .failure(MeshError(.systemFailure, message)))
            return
        }
        guard let worker = self.workers.values.first(where: { $0.token == token }) else { return }
        let peer = worker.address.peer
        self.workers[peer] = nil
        self.idle.removeAll { $0 == peer }
        unlinkSockets(of: worker.address)
        if worker.leasedBy != nil { self.releaseSlot() }
        let message = "Its process \(end.processID) \(end.words)."
        self.mesh.lost(peer, because: MeshError(.actorDied, message))
        guard !self.isStopping else { return }
        if let broker = try? self.mesh.membership.broker() {
            let actors = Array(worker.actors.keys)
            Task { try? await broker.ended(actors: actors, worker: peer, reason: message) }
        }
        self.scheduleRefill()
    }

    private func shared() async throws -> PeerID {
        if let task = self.sharedWorker, let worker = try? await task.value, self.workers[worker] != nil {
            return worker
        }
        let task = Task { try await self.take() }
        self.sharedWorker = task
        return try await task.value
    }

    private func end(_ worker: PeerID) {
        self.workers[worker]?.process.kill(.notNeeded)
    }

    private func agent(_ worker: PeerID) throws -> WorkerAgent {
        guard let address = self.workers[worker]?.address else {
            throw MeshError(.actorDied, "The worker process has ended.")
        }
        return try self.mesh.service(WorkerAgent.self, WellKnown.worker, at: address)
    }

    // MARK: The node itself

    /// Joins a broker, a new one or one that was away, with everything that this node has.
    package distributed func present(to broker: Broker) async throws {
        let actors = self.workers.values.flatMap { worker in
            worker.actors.values.map { HostedSpec(spec: $0, address: worker.address) }
        }
        try await broker.register(self.registration, actors: actors, workers: Array(self.workers.keys))
        guard let address = try self.membership.brokerAddress else { return }
        for worker in self.workers.keys { try? await self.agent(worker).brokerChanged(address) }
    }

    /// How this node presents itself to a broker.
    package distributed func describe() async throws -> NodeRegistration { self.registration }

    /// Ends all workers.
    package distributed func shutDown() async throws {
        self.isStopping = true
        let processes = self.workers.values.map(\.process) + self.launches.values.map(\.process)
        for process in processes { process.kill(.notNeeded) }
        self.launcher.close()
        for launch in self.launches.values {
            launch.waiter?.resume(returning: .failure(MeshError(.shutDown, "The node is shutting down.")))
        }
        self.launches = [:]
        // Nobody watches them from now on, and a program that goes on must not keep their remains.
        for process in processes { process.reap() }
        await waitForCallback(atMost: Self.forwardingTime, on: self.mesh) {
            self.launcher.closeOutput(whenForwarded: $0)
        }
    }

    /// How long the node waits at its end for somebody to take what its workers wrote, in nanoseconds. What is left is
    /// forwarded for as long as this process lives.
    private static let forwardingTime: UInt64 = 5_000_000_000
}

/// Removes the socket files of a process that could not do it itself.
package func unlinkSockets(of address: PeerAddress) {
    for endpoint in address.endpoints where endpoint.hasPrefix("ipc://") {
        unlink(String(endpoint.dropFirst("ipc://".count)))
    }
}
