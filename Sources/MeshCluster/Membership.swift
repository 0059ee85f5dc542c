import CMeshPlatform
import Logging
package import MeshCore
package import MeshRuntime
import Synchronization

/// What a process knows as a member of a mesh: who its broker is, which program it runs, what it has submitted.
package final class Membership: Sendable {
    /// Identifies the types that a process knows; nodes run actors and tasks of the programs that they have.
    package let program: String
    package let scheduler: TaskScheduler
    /// Those for tasks that ask for resources, for each amount of them.
    private let schedulers = Mutex<[Resources: TaskScheduler]>([:])
    /// How many tasks this process may have under way.
    let taskWindow: TaskWindow
    /// The tasks that run in this process.
    package let runningTasks = RunningTasks()
    let state: Mutex<State>
    unowned let mesh: Mesh
    /// The node whose worker this process is; nil for others.
    package let node: PeerID?

    struct State {
        var broker: PeerAddress?
        var endpoint: String?
        /// Whether somebody is about to find the broker.
        var isJoining = false
        /// How often this process has become a member.
        var joins: UInt64 = 0
        var terms: MembershipTerms
        var lease = MemberLease()
        /// Since when the broker has been away.
        var awaySince: UInt64?
        var loss: Loss?
        /// Why the broker does not let this process in again.
        var refusal: MeshError?
    }

    /// What to do when the broker does not know this process any more.
    package struct Loss: Sendable {
        /// The lease has run out: what this process has of the mesh is somebody else's by now, and must end before it
        /// joins again.
        package var fence: @Sendable () async -> Void
        /// The broker has been away for longer than it is waited for.
        package var abandon: @Sendable () -> Void

        package init(fence: @escaping @Sendable () async -> Void, abandon: @escaping @Sendable () -> Void) {
            self.fence = fence
            self.abandon = abandon
        }
    }

    package init(
        mesh: Mesh, program: String, broker: PeerAddress?, endpoint: String? = nil, node: PeerID? = nil
    ) {
        self.node = node
        self.mesh = mesh
        self.program = program
        self.taskWindow = TaskWindow(limit: mesh.settings.maxPendingTasks)
        self.scheduler = TaskScheduler(mesh: mesh)
        self.state = Mutex(
            State(broker: broker, endpoint: endpoint, terms: MembershipTerms(mesh.settings, isDurable: false)))
    }

    /// What runs the tasks that ask for so much.
    func scheduler(for resources: Resources?) -> TaskScheduler {
        guard let resources else { return self.scheduler }
        return self.schedulers.withLock { schedulers in
            if let known = schedulers[resources] { return known }
            if schedulers.count >= 64 { schedulers = schedulers.filter { !$0.value.isIdle } }
            let scheduler = TaskScheduler(mesh: self.mesh, resources: resources)
            schedulers[resources] = scheduler
            return scheduler
        }
    }

    /// Gives back every worker that does nothing for this process.
    func giveBackAll() async {
        await self.scheduler.giveBackAll()
        for scheduler in self.schedulers.withLock({ Array($0.values) }) { await scheduler.giveBackAll() }
    }

    package var brokerAddress: PeerAddress? { self.state.withLock { $0.broker } }

    /// The address at which the broker is looked for; nil in an embedded mesh.
    package var endpoint: String? { self.state.withLock { $0.endpoint } }

    package func setBroker(_ address: PeerAddress?) { self.state.withLock { $0.broker = address } }

    /// A handle to the broker.
    package func broker() throws -> Broker {
        try self.mesh.service(Broker.self, WellKnown.broker, at: try self.reachableBroker())
    }

    /// A handle to what keeps the logs of the mesh.
    package func logCollector() throws -> LogCollector {
        try self.mesh.service(LogCollector.self, WellKnown.logs, at: try self.reachableBroker())
    }

    private func reachableBroker() throws -> PeerAddress {
        guard let address = self.brokerAddress else {
            if let refusal = self.state.withLock({ $0.refusal }) { throw refusal }
            let endpoint = self.state.withLock { $0.endpoint } ?? "its address"
            throw MeshError(
                .brokerUnavailable,
                "The broker at \(endpoint) cannot be reached now. Calls to actors whose handles you have go on; "
                    + "try again when it is back.")
        }
        return address
    }

    /// Whoever listens at the broker's address may have shut this process out.
    func noteRefusal(_ error: any Error) {
        let refusal = (error as? MeshError).flatMap { $0.code == .unauthorized ? $0 : nil }
        self.state.withLock { $0.refusal = refusal }
    }

    /// Asks the broker something; that it cannot be reached is told as such. What it tells of others stays as it is.
    package func ask<Answer: Sendable>(_ question: (Broker) async throws -> Answer) async throws -> Answer {
        let broker = try self.broker()
        do {
            return try await question(broker)
        } catch let error as MeshError
            where (error.code == .actorUnavailable || error.code == .actorDied) && !error.isFromPeer
            && self.mesh.peer(of: broker) != self.mesh.address.peer
        {
            throw MeshError(
                .brokerUnavailable, "The broker went away before it answered; the request may or may not have run.",
                cause: error)
        }
    }
}

extension Mesh {
    /// Waits until what this process told others has arrived, or has had time to, and gives back what it has of the mesh:
    /// it is about to leave.
    package func leave() async {
        await self.waitForDelivery(atMost: self.settings.leaseTime)
        try? await self.withDeadline(.milliseconds(500)) { await (try? self.membership)?.giveBackAll() }
    }

    /// This process's membership. Set before anybody else has the mesh.
    package var membership: Membership {
        get throws {
            let known = self.extensions.withLock { $0[ObjectIdentifier(Membership.self)] } as? Membership
            guard let known else {
                throw MeshError(.brokerUnavailable, "This process has not joined a mesh yet.")
            }
            return known
        }
    }

    package func setMembership(_ membership: Membership?) {
        self.extensions.withLock { $0[ObjectIdentifier(Membership.self)] = membership }
        if let membership {
            self.hostStatistics { [weak membership] in membership?.runningTasks.count ?? 0 }
        }
        self.directory.withLock { $0 = membership }
    }
}
