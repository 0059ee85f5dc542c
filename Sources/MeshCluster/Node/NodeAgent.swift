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
        /// Why this node ended it, when it did.
        var endedFor: String?
        /// How many leases more it may be silent while it is not stopped.
        var chances = Int(ProcessStatus.patienceWithBusy) - 1
        /// Those who wait until the process has ended.
        var endWaiters: [UnsafeContinuation<ProcessEnd?, Never>] = []
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
    private var workerLeases: MemberLeases
    private var ended: [PeerID: (process: ProcessEnd, reason: String)] = [:]
    private var endedOrder: [PeerID] = []
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
        self.workerLeases = MemberLeases(
            leaseTime: actorSystem.settings.leaseTime.nanoseconds,
            interval: actorSystem.settings.heartbeatInterval.nanoseconds)
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
        // What was asked of it before it was stopped may have been asked of another node since.
        guard try self.membership.remainingLease(at: cmesh_monotonic_nanoseconds()) != 0 else {
            throw MeshError(
                .actorUnavailable, "Node \(self.registration.name) was not heard by the broker for the lease time.")
        }
        // An earlier life must not answer beside a later one.
        if let worker = self.worker(of: spec.id), let earlier = self.workers[worker]?.actors[spec.id] {
            _ = try await self.end(spec.id, incarnation: earlier.incarnation, .kill, because: .unknown)
        }
        let worker = spec.options.placement == .shared ? try await self.shared() : try await self.take()
        self.workers[worker]?.actors[spec.id] = spec
        do {
            if spec.options.placement == .process, let memory = spec.options.resources?.memory, memory > .bytes(0) {
                try self.workers[worker]?.process.limitMemory(to: memory)
            }
            let outcome = try await self.agent(worker).start(spec)
            guard case .started = outcome else {
                self.forget(spec.id, in: worker)
                return outcome
            }
            guard self.workers[worker]?.actors[spec.id]?.incarnation == spec.incarnation else {
                try await self.agent(worker).end(spec.id, incarnation: spec.incarnation, .kill, because: .killed)
                throw MeshError(.actorDied, "\(spec.label) was ended while it started.")
            }
            // The arguments of one that is never made again need not be kept.
            if !spec.mayRestart { self.workers[worker]?.actors[spec.id]?.arguments = EncodedValue() }
            return outcome
        } catch {
            self.forget(spec.id, in: worker)
            if let end = self.ended[worker] { return .crashed(end.process, end.reason) }
            throw error
        }
    }

    /// Ends an actor, and its process when it had one of its own. Returns when it has ended.
    ///
    /// - Returns: how its process ended, when it had one of its own.
    package distributed func end(
        _ actor: UniqueID, incarnation: UInt64, _ mode: EndMode, because cause: ActorTermination.Cause
    ) async throws -> ProcessEnd? {
        guard let worker = self.worker(of: actor), let spec = self.workers[worker]?.actors[actor],
            spec.incarnation == incarnation
        else { return nil }
        let isShared = spec.options.placement == .shared
        if isShared || mode != .kill {
            do {
                try await self.agent(worker).end(actor, incarnation: incarnation, mode, because: cause)
            } catch let error as MeshError where error.code == .actorDied {
                // Its process has ended in the meantime.
            }
        }
        if isShared {
            self.workers[worker]?.actors[actor] = nil
            return nil
        }
        return await self.kill(worker, for: cause.words)
    }

    /// An actor of a worker has ended itself.
    package distributed func exited(_ actor: UniqueID, incarnation: UInt64) async throws {
        guard let worker = self.worker(of: actor), let spec = self.workers[worker]?.actors[actor],
            spec.incarnation == incarnation
        else { return }
        self.workers[worker]?.actors[actor] = nil
        self.tellBroker { try await $0.exited(actor, incarnation: incarnation) }
        if spec.options.placement == .process { self.end(worker, for: "its actor ended itself") }
    }

    /// Returns when an actor has nothing to do. Says whether somebody in its process has a counted handle to it.
    package distributed func awaitIdle(_ actor: UniqueID, incarnation: UInt64) async throws -> Bool {
        guard let worker = self.worker(of: actor) else { return false }
        return try await self.agent(worker).awaitIdle(actor, incarnation: incarnation)
    }

    /// Whether the process of an actor has not ended yet, by what the system says; that it has is told in time.
    package distributed func hasLivingProcess(_ actor: UniqueID) async throws -> Bool {
        guard let worker = self.worker(of: actor), let process = self.workers[worker]?.process else { return false }
        return !ProcessStatus.hasEnded(process.processID)
    }

    /// Asks a supervisor of this node about a child of its.
    package distributed func decide(
        _ supervisor: UniqueID, incarnation: UInt64, about child: ActorTermination
    ) async throws -> Supervision.Decision {
        guard let worker = self.worker(of: supervisor) else { return .restart }
        return try await self.agent(worker).decide(supervisor, incarnation: incarnation, about: child)
    }

    private func worker(of actor: UniqueID) -> PeerID? {
        self.workers.first { $0.value.actors[actor] != nil }?.key
    }

    /// Tells the broker something that it has to know, as soon as it is there.
    private func tellBroker(_ message: @escaping @Sendable (Broker) async throws -> Void) {
        let mesh = self.mesh
        mesh.detach { try await mesh.membership.tellWhenThere(message) }
    }

    private func forget(_ actor: UniqueID, in worker: PeerID) {
        guard let spec = self.workers[worker]?.actors.removeValue(forKey: actor) else { return }
        // Whatever its initialiser left behind goes with the process.
        if spec.options.placement == .process { self.end(worker, for: "its actor could not be made") }
    }

    private func check(_ program: String, for type: String) throws(MeshError) {
        guard !self.registration.programs.contains(program) else { return }
        throw MeshError(
            .typeNotFound,
            "Node \(self.registration.name) does not run the program \"\(program)\" that has \(type).")
    }

    // MARK: Leases

    /// A worker says that it lives. Returns for how many nanoseconds it may act: as long as this node itself may.
    package distributed func renew(_ worker: PeerID) async throws -> UInt64 {
        let now = cmesh_monotonic_nanoseconds()
        guard self.workers[worker] != nil else { return 0 }
        self.workerLeases.hear(worker, at: now)
        self.workers[worker]?.chances = Int(ProcessStatus.patienceWithBusy) - 1
        // Nobody takes over the actors of an embedded mesh.
        return try self.membership.remainingLease(at: now) ?? .max
    }

    /// Ends the workers that were not heard for the lease time: they are stopped, or nothing runs in them any more.
    package distributed func checkWorkers() async throws {
        let now = cmesh_monotonic_nanoseconds()
        for worker in self.workerLeases.tick(now: now) {
            guard let entry = self.workers[worker] else { continue }
            // One that only waits for a processor may come to itself.
            let chances = ProcessStatus.isStopped(entry.process.processID) ? 0 : entry.chances
            guard chances == 0 else {
                self.workers[worker]?.chances = chances - 1
                self.workerLeases.hear(worker, at: now)
                continue
            }
            self.end(worker, for: "it did not answer for \(self.mesh.settings.leaseTime)", isUnresponsive: true)
        }
    }

    /// Begins to look after the workers. Called once, by the process that hosts the node.
    package static func watchWorkers(on mesh: Mesh) {
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + mesh.settings.heartbeatInterval.nanoseconds) {
            [weak mesh] in
            guard let mesh, !mesh.isStopped else { return }
            mesh.detach { try await mesh.service(NodeAgent.self, WellKnown.node, at: mesh.address).checkWorkers() }
            self.watchWorkers(on: mesh)
        }
    }

    /// Ends every actor and task of this node: it was given up by its broker, and they may live elsewhere.
    package distributed func fence() async throws {
        for worker in self.workers.keys {
            self.workers[worker]?.actors = [:]
            self.end(worker, for: "its node was given up by the broker")
        }
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
            self.end(worker, for: "it was not needed any more")
        }
    }

    /// Processes are gone that may have leased workers: what still runs there is of no use to anybody.
    package distributed func ownersLost(_ owners: [PeerID]) async throws {
        for worker in self.workers.values {
            if let owner = worker.leasedBy, owners.contains(owner) {
                self.end(worker.address.peer, for: "whoever had leased it has ended")
            }
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
        self.workerLeases.hear(address.peer, at: cmesh_monotonic_nanoseconds())
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
            settings: self.mesh.settings)
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
        self.workerLeases.remove(peer)
        let message = "Its process \(end.processID) \(worker.endedFor.map { "was ended: \($0)" } ?? end.words)."
        self.remember(peer, end, message)
        self.mesh.lost(peer, because: MeshError(.actorDied, message))
        for waiter in worker.endWaiters { waiter.resume(returning: end) }
        guard !self.isStopping else { return }
        self.tellBroker { try await $0.workerEnded(peer, end, reason: message) }
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

    /// Ends a worker process and waits until it has ended.
    private func kill(_ worker: PeerID, for reason: String) async -> ProcessEnd? {
        self.end(worker, for: reason)
        return await withUnsafeContinuation { continuation in
            guard self.workers[worker] != nil else {
                return continuation.resume(returning: self.ended[worker]?.process)
            }
            self.workers[worker]?.endWaiters.append(continuation)
        }
    }

    /// Remembers for a while how a worker ended, for those who were about to use it.
    private func remember(_ worker: PeerID, _ process: ProcessEnd, _ reason: String) {
        self.ended[worker] = (process, reason)
        self.endedOrder.append(worker)
        if self.endedOrder.count > 100 { self.ended[self.endedOrder.removeFirst()] = nil }
    }

    private func end(_ worker: PeerID, for reason: String, isUnresponsive: Bool = false) {
        guard let entry = self.workers[worker] else { return }
        if entry.endedFor == nil { self.workers[worker]?.endedFor = reason }
        entry.process.kill(isUnresponsive ? .unresponsive : .notNeeded)
    }

    private func agent(_ worker: PeerID) throws -> WorkerAgent {
        guard let address = self.workers[worker]?.address else {
            throw MeshError(.actorDied, "The worker process has ended.")
        }
        return try self.mesh.service(WorkerAgent.self, WellKnown.worker, at: address)
    }

    // MARK: The node itself

    /// Joins a broker, a new one or one that was away, with everything that this node has.
    package distributed func present(to broker: Broker) async throws -> MembershipTerms {
        let actors = self.workers.values.flatMap { worker in
            worker.actors.values.map { HostedSpec(spec: $0, address: worker.address) }
        }
        let terms = try await broker.register(self.registration, actors: actors, workers: Array(self.workers.keys))
        if let address = try self.membership.brokerAddress {
            for worker in self.workers.keys { try? await self.agent(worker).brokerChanged(address) }
        }
        return terms
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
