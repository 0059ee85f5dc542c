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

    struct Worker {
        var token: UInt64
        var process: LaunchedWorker
        var address: PeerAddress
        var actors: [UniqueID: ActorSpec] = [:]
        /// Whether it has been given out: to an actor, as the shared one, or to a submitter of tasks.
        var isTaken = false
        var leasedBy: PeerID?
        /// What it has, when it runs tasks that ask for resources.
        var taskLease: HostedLease?
        /// Whether any code of a program may have run in it.
        var isUsed = false
        /// How long it may act, by what it was granted. It never has longer.
        var lease = MemberLease()
        /// Whether it is to end, and only has something left to deliver or to keep.
        var isRetiring = false
        /// Why this node ended it, when it did.
        var endedFor: String?
        /// How many leases more it may be silent while it is not stopped.
        var chances = Int(ProcessStatus.patienceWithBusy) - 1
        /// Those who wait until the process has ended.
        var endWaiters: [UnsafeContinuation<ProcessEnd?, Never>] = []
        /// Its actors that have asked for their own end, and still clean up.
        var exiting: Set<UniqueID> = []
        /// Tells the broker of what has ended in it; what ends later is told later.
        var news: Task<Void, Never>?
    }

    struct Launch {
        var process: LaunchedWorker
        /// Which broker it was told of.
        var broker: PeerID?
        /// Who waits for it; nil for one that is kept warm.
        var waiter: UnsafeContinuation<Result<PeerID, MeshError>, Never>?
    }

    let launcher: WorkerLauncher
    let registration: NodeRegistration
    let directory: String
    /// Where its workers take in messages from other hosts: what the node itself was told, at ports of their own.
    let workerBinding: [String]
    /// The file of the key that its workers need as well.
    let keyFile: String?
    let warmTarget: Int
    let taskSlots: Int
    /// What CUDA calls the GPUs of this node, by their numbers.
    let gpuDevices: [String]
    var launches: [UInt64: Launch] = [:]
    var nextToken: UInt64 = 1
    var workers: [PeerID: Worker] = [:]
    /// In which worker an actor is.
    var homes: [UniqueID: PeerID] = [:]
    /// Which lives of actors wait for a worker.
    var unborn: [UniqueID: UInt64] = [:]
    /// Actors that have ended themselves, and which life it was, until the broker knows.
    var exits: [UniqueID: UInt64] = [:]
    var idle: [PeerID] = []
    var sharedWorker: Task<PeerID, any Error>?
    var leases = 0
    var leaseWaiters: [UnsafeContinuation<Void, Never>] = []
    var workerLeases: MemberLeases
    var ended: [PeerID: (process: ProcessEnd, reason: String)] = [:]
    var endedOrder: [PeerID] = []
    var isStopping = false
    var isRefilling = false
    /// How many workers in a row have ended by themselves before they were used.
    var idleDeaths: UInt64 = 0

    package init(
        actorSystem: Mesh, launcher: WorkerLauncher, registration: NodeRegistration, directory: String,
        bind: [String] = [], keyFile: String? = nil, warmWorkers: Int, taskSlots: Int,
        gpuDevices: [String] = []
    ) {
        self.gpuDevices = gpuDevices
        self.workerBinding = bind.compactMap { TCPEndpoint($0)?.forAnother.text }
        self.keyFile = keyFile
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

    var mesh: Mesh { self.actorSystem }

    var membership: Membership {
        get throws(MeshError) {
            do {
                return try self.mesh.membership
            } catch {
                throw MeshError(.brokerUnavailable, "The node has left its mesh.", cause: error)
            }
        }
    }

    // MARK: The node itself

    /// Joins a broker, a new one or one that was away, with everything that this node has.
    package distributed func present(to broker: Broker) async throws -> MembershipTerms {
        let actors = self.workers.values.flatMap { worker in
            worker.actors.values.map { HostedSpec(spec: $0, address: worker.address) }
        }
        let exits = self.exits.map { ActorLife(id: $0.key, incarnation: $0.value) }
        var registration = self.registration
        registration.leases = self.workers.values.compactMap(\.taskLease)
        let terms = try await broker.register(
            registration, actors: actors, workers: Array(self.workers.keys), exits: exits)
        if let address = try self.membership.brokerAddress {
            for worker in self.workers.keys {
                // Not awaited: one that does not answer must not keep this node from being a member.
                let agent = try self.agent(worker)
                self.mesh.detach { try await agent.brokerChanged(address) }
            }
        }
        self.scheduleRefill()
        return terms
    }

    /// How this node presents itself to a broker.
    package distributed func describe() async throws -> NodeRegistration { self.registration }

    /// How full this node's store of large objects is.
    package distributed func objectUsage() async throws -> ObjectUsage { self.mesh.objectStore.usage }

    /// Waits until the collector has what the workers have said by now, though not for long.
    package distributed func collectOutput() async throws {
        for worker in self.workers.values { worker.process.output.receiveAll() }
        let logs = self.launcher.logs
        let last = logs.last
        await waitForCallback(atMost: Self.collectingTime, on: self.mesh) { logs.whenCollected(upTo: last, $0) }
    }

    /// Ends all workers.
    package distributed func shutDown() async throws {
        self.isStopping = true
        // What has ended well, a moment ago, is not to lose its last words by this.
        await withTaskGroup(of: Void.self) { group in
            for agent in self.workers.keys.compactMap({ try? self.agent($0) }) {
                group.addTask { [mesh] in
                    try? await mesh.withDeadline(Self.farewellTime) { try await agent.awaitDelivery() }
                }
            }
        }
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
        // What a broker of this very process has goes with it.
        if try self.membership.brokerAddress?.peer != self.mesh.address.peer {
            await waitForCallback(atMost: Self.collectingTime, on: self.mesh) {
                self.launcher.logs.whenCollected($0)
            }
        }
        self.launcher.logs.close()
    }

    /// How long the node's end waits for what its workers told others to arrive there.
    private static let farewellTime = Duration.milliseconds(500)

    /// How long the node waits at its end for the collector to take what its workers said; what is left stays in the
    /// spool, for the next node that has it.
    static let collectingTime: UInt64 = 2_000_000_000

    /// How long the node waits at its end for somebody to take what its workers wrote, in nanoseconds. What is left is
    /// forwarded for as long as this process lives.
    static let forwardingTime: UInt64 = 5_000_000_000
}

/// Removes the socket files of a process that could not do it itself.
package func unlinkSockets(of address: PeerAddress) {
    for endpoint in address.endpoints where endpoint.hasPrefix("ipc://") {
        unlink(String(endpoint.dropFirst("ipc://".count)))
    }
}
