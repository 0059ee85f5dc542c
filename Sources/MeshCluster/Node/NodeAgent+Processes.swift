import CMeshPlatform
import Distributed
import FoundationEssentials
import Glibc
import Logging
package import MeshCore
package import MeshRuntime

/// The worker processes of this node.
extension NodeAgent {
    /// A worker process that this node started can be used now.
    package distributed func workerReady(_ token: UInt64, _ address: PeerAddress) async throws {
        guard let launch = self.launches.removeValue(forKey: token) else { return }
        self.workers[address.peer] = Worker(
            token: token, process: launch.process, address: address, isTaken: launch.waiter != nil,
            isUsed: launch.waiter != nil)
        let now = cmesh_monotonic_nanoseconds()
        self.workerLeases.hear(address.peer, at: now)
        self.workers[address.peer]?.lease.renewed(askedAt: now, for: self.mesh.settings.leaseTime.nanoseconds)
        let node = self.registration.address.peer
        let news = self.tellBroker { try await $0.workerStarted(address.peer, on: node) }
        self.workers[address.peer]?.news = news
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
        // Workers of a node that has lost its lease end at once; it fills its pool when it has joined again.
        guard try self.membership.remainingLease(at: cmesh_monotonic_nanoseconds()) != 0 else { return }
        while !self.isStopping, self.idle.count + self.warming < self.warmTarget {
            guard (try? self.launch()) != nil else { return }
        }
    }

    var warming: Int { self.launches.values.count { $0.waiter == nil } }

    func scheduleRefill() {
        guard !self.isRefilling, !self.isStopping else { return }
        self.isRefilling = true
        let mesh = self.mesh
        // A program whose workers end by themselves must not keep the machine busy with starting them.
        let delay = min(UInt64(3_000_000) << min(self.idleDeaths, 16), 5_000_000_000)
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + delay) { [weak mesh] in
            guard let mesh else { return }
            Task { try? await mesh.service(NodeAgent.self, WellKnown.node, at: mesh.address).refill() }
        }
    }

    /// A warm worker, or a new one.
    ///
    /// - Parameter isFresh: whether nothing may have run in it: what has looked for GPUs once never sees others.
    func take(isFresh: Bool = false) async throws(MeshError) -> PeerID {
        while let index = self.idle.lastIndex(where: { !isFresh || self.workers[$0]?.isUsed == false }) {
            let worker = self.idle.remove(at: index)
            guard self.isOfUse(worker) else { continue }
            self.workers[worker]?.isTaken = true
            self.workers[worker]?.isUsed = true
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

    func wait(for token: UInt64) async throws(MeshError) -> PeerID {
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
    static let startTime: UInt64 = 30_000_000_000

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
    func launch() throws(MeshError) -> UInt64 {
        let token = self.nextToken
        self.nextToken += 1
        let broker = try self.membership.brokerAddress
        let bootstrap = WorkerBootstrap(
            node: self.mesh.address, broker: broker, token: token, directory: self.directory, bind: self.workerBinding,
            advertise: self.workerAdvertising, keyFile: self.keyFile, revokedKeys: self.mesh.revoked,
            settings: self.mesh.settings)
        var environment = [WorkerBootstrap.variable: bootstrap.text]
        // Whoever asks for no GPU sees none of those that others have.
        if !self.gpuDevices.isEmpty { environment[ProcessGPUs.variable] = "" }
        let process = try self.launcher.launch(environment: environment)
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
    var workerAdvertising: [String] {
        self.mesh.address.endpoints.compactMap { TCPEndpoint($0).map { TCPEndpoint(host: $0.host, port: "*").text } }
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
        worker.process.output.log.ended(end, isExpected: self.isExpected(end, of: worker))
        let peer = worker.address.peer
        for actor in worker.actors.keys where self.homes[actor] == peer { self.homes[actor] = nil }
        self.workers[peer] = nil
        self.idle.removeAll { $0 == peer }
        unlinkSockets(of: worker.address)
        if worker.leasedBy != nil, worker.taskLease == nil { self.releaseSlot() }
        self.workerLeases.remove(peer)
        self.idleDeaths = worker.isTaken || worker.endedFor != nil ? 0 : self.idleDeaths + 1
        let message = "Its process \(end.processID) \(worker.endedFor.map { "was ended: \($0)" } ?? end.words)."
        self.remember(peer, end, message)
        self.mesh.lost(peer, because: MeshError(.actorDied, message))
        for waiter in worker.endWaiters { waiter.resume(returning: end) }
        guard !self.isStopping else { return }
        // One that was about to end itself has done so, whatever its process died of.
        var news = worker.news
        for actor in worker.exiting {
            if let spec = worker.actors[actor] { news = self.tellBroker(ofExit: actor, spec.incarnation, after: news) }
        }
        self.tellBroker(after: news) { try await $0.workerEnded(peer, end, reason: message) }
        self.scheduleRefill()
    }

    /// Whether a worker ended because it was to.
    private func isExpected(_ end: ProcessEnd, of worker: Worker) -> Bool {
        if end.isOutOfMemory || end.isUnresponsive { return false }
        if self.isStopping || worker.endedFor != nil { return true }
        // By itself it ends well only when it has nothing to do.
        return end.status == 0 && worker.leasedBy == nil && worker.exiting.isSuperset(of: worker.actors.keys)
    }

    func shared() async throws -> PeerID {
        if let task = self.sharedWorker, let worker = try? await task.value, self.isOfUse(worker) { return worker }
        let task = Task { try await self.take() }
        self.sharedWorker = task
        return try await task.value
    }

    /// Ends a worker process and waits until it has ended.
    func kill(_ worker: PeerID, for reason: String) async -> ProcessEnd? {
        self.end(worker, for: reason)
        return await withUnsafeContinuation { continuation in
            guard self.workers[worker] != nil else {
                return continuation.resume(returning: self.ended[worker]?.process)
            }
            self.workers[worker]?.endWaiters.append(continuation)
        }
    }

    /// Remembers for a while how a worker ended, for those who were about to use it.
    func remember(_ worker: PeerID, _ process: ProcessEnd, _ reason: String) {
        self.ended[worker] = (process, reason)
        self.endedOrder.append(worker)
        if self.endedOrder.count > 100 { self.ended[self.endedOrder.removeFirst()] = nil }
    }

    func end(_ worker: PeerID, for reason: String, isUnresponsive: Bool = false) {
        guard let entry = self.workers[worker] else { return }
        if entry.endedFor == nil { self.workers[worker]?.endedFor = reason }
        entry.process.kill(isUnresponsive ? .unresponsive : .notNeeded)
    }

    /// Ends a worker process that has done what it was to do, once what it told others has arrived.
    ///
    /// - Parameter keepsObjects: whether it goes on, without the resources that it had, while somebody refers to objects
    ///   that it owns.
    func retire(_ worker: PeerID, for reason: String, keepsObjects: Bool) {
        guard let entry = self.workers[worker], entry.endedFor == nil, !entry.isRetiring else { return }
        self.workers[worker]?.isRetiring = true
        self.mesh.detach {
            await self.awaitDelivery(from: worker)
            if keepsObjects { await self.awaitUnreferenced(worker) }
            await self.end(worker, for: reason)
        }
    }

    private func awaitUnreferenced(_ worker: PeerID) async {
        guard let agent = try? self.agent(worker), (try? await agent.isReferenced()) == true else { return }
        if let lease = self.workers[worker]?.taskLease { self.giveUp(lease) }
        try? await agent.awaitUnreferenced()
    }

    /// Returns when what a worker has told others has arrived, or it had the lease time for that.
    func awaitDelivery(from worker: PeerID) async {
        guard let agent = try? self.agent(worker) else { return }
        try? await self.mesh.withDeadline(self.mesh.settings.leaseTime) { try await agent.awaitDelivery() }
    }

    func agent(_ worker: PeerID) throws -> WorkerAgent {
        guard let address = self.workers[worker]?.address else {
            throw MeshError(.actorDied, "The worker process has ended.")
        }
        return try self.mesh.service(WorkerAgent.self, WellKnown.worker, at: address)
    }
}
