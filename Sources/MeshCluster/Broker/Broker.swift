import CMeshPlatform
package import Distributed
import FoundationEssentials
import Logging
package import MeshCore
package import MeshRuntime

/// Knows the names, actors and nodes of a mesh, decides where actors live, and what follows when they die. It is never
/// on the way of a call between two actors.
///
/// What follows from what is in the ``Registry``; the broker tells it what happens and does what it says.
package distributed actor Broker {
    package typealias ActorSystem = Mesh

    var registry: Registry
    var leases: MemberLeases
    /// Where the members are, and how many leases more each may be silent while it only waits for a processor.
    var members: [PeerID: Member] = [:]
    let waiters = ChangeWaiters()
    var taskTurns = TaskTurns()
    /// How many workers are asked for that no node has given yet.
    var wantedWorkers = 0
    var listeners: [MeshStream<MeshEvent>.Continuation] = []
    /// Processes that own actors which a node brought, and that have not joined again; with the time to give them up.
    var missingOwners: [PeerID: UInt64] = [:]
    /// Whom to tell again that nobody seems to hold which objects of theirs.
    var untoldOwners: [PeerID: Set<UniqueID>] = [:]
    /// What every member is granted, without what changes.
    let basicTerms: MembershipTerms
    /// Where everything is written down; nil for a broker that forgets.
    let store: (any RegistryStore)?
    /// What is not written down yet; nil without a store.
    var journal: Journal?
    var isRetryPlanned = false
    /// The keys whose holders are no part of the mesh any more.
    var revokedKeys: Set<KeyIdentity>
    /// Placement groups that were given up because they were not placed in time, and why they waited.
    var lateGroups: [UniqueID: String] = [:]
    private var wakeAt: UInt64?
    /// Since when it runs.
    let startDate = Date()

    /// - Parameters:
    ///   - expectsReturns: whether there may have been another broker here, whose nodes come back.
    ///   - store: where to write everything down; it has been opened.
    ///   - stored: what was in it.
    /// - Throws: `systemFailure` when what was in the store cannot be read.
    package init(
        actorSystem: Mesh, expectsReturns: Bool = false, store: (any RegistryStore)? = nil,
        stored: StoredRegistry = StoredRegistry()
    ) throws {
        self.actorSystem = actorSystem
        let settings = actorSystem.settings
        let now = Moment(time: cmesh_monotonic_nanoseconds(), date: Date())
        self.basicTerms = MembershipTerms(settings, isDurable: store != nil)
        self.store = store
        self.journal = store == nil ? nil : Journal()
        self.leases = MemberLeases(
            leaseTime: settings.leaseTime.nanoseconds, interval: settings.heartbeatInterval.nanoseconds)
        var stored = stored
        self.revokedKeys = try Self.takeRevokedKeys(from: &stored)
        let groups = try Self.takeGroups(from: &stored)
        self.registry = try Self.restore(
            stored, groups,
            Registry.Settings(drainTime: settings.leaseTime.nanoseconds, remembered: settings.remembered),
            patience: Self.patience(self.basicTerms, on: actorSystem.address.host), at: now)
        // From the first moment on, because they join again as soon as this process answers.
        let patience = now.time + self.registry.settings.claimTime
        for owner in self.registry.owners { self.missingOwners[owner] = patience }
        guard expectsReturns else { return }
        self.registry.expectReturns(until: now.time + settings.leaseTime.nanoseconds)
    }

    /// Goes on with what an earlier broker left, and begins to watch the processes that take part. Called once, by the
    /// process that hosts the broker.
    package static func begin(on mesh: Mesh) async throws {
        let handle = try mesh.service(Broker.self, WellKnown.broker, at: mesh.address)
        await handle.whenLocal { $0.resume() }
        mesh.revoke(await handle.whenLocal { $0.revokedKeys } ?? [])
        mesh.onPeerLost { peer, error in
            // A process that was only silent may be well: its lease decides.
            guard mesh.hasEnded(peer) else { return }
            mesh.detach { try await handle.peerLost(peer, reason: error.message) }
        }
        self.scheduleLeaseCheck(on: mesh, handle)
    }

    private static func scheduleLeaseCheck(on mesh: Mesh, _ handle: Broker) {
        let interval = mesh.settings.heartbeatInterval.nanoseconds
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + interval) { [weak mesh] in
            guard let mesh, !mesh.isStopped else { return }
            mesh.detach { try await handle.checkLeases() }
            self.scheduleLeaseCheck(on: mesh, handle)
        }
    }

    var now: UInt64 { cmesh_monotonic_nanoseconds() }

    var terms: MembershipTerms {
        var terms = self.basicTerms
        terms.revokedKeys = self.revokedKeys
        return terms
    }

    // MARK: What follows

    /// Tells the registry what happened, and begins what follows.
    func note<Result>(_ change: (inout Registry, Moment) throws -> Result) rethrows -> Result {
        defer { self.settle() }
        return try change(&self.registry, Moment(time: self.now, date: Date()))
    }

    private func settle() {
        self.registry.placeWaiting()
        var effects = self.registry.takeEffects()
        let changed = self.registry.takeChanged()
        if self.journal != nil { effects = self.journal?.add(changed, effects) ?? [] }
        for effect in effects { self.begin(effect) }
        if !changed.isEmpty { self.beginWriting() }
        self.scheduleTick()
    }

    func begin(_ effect: Effect) {
        switch effect {
        case .changed(let actor): self.waiters.wake(actor)
        case .event(let event): self.publish(event)
        case .start(let spec, let node):
            self.actorSystem.detach { _ = await self.start(spec, on: node) }
        case .end(let actor, let incarnation, let node, let mode, let cause):
            self.actorSystem.detach { await self.end(actor, incarnation, on: node, mode, cause) }
        case .awaitIdle(let actor, let incarnation, let node):
            self.actorSystem.detach { await self.awaitIdle(actor, incarnation, on: node) }
        case .ask(let supervisor, let incarnation, let node, let child):
            self.actorSystem.detach { await self.ask(supervisor, incarnation, on: node, about: child) }
        case .objectsFree(let objects, let owner): self.tell(owner, thatNobodyHolds: objects)
        case .reclaim(let processes):
            self.forgetLinks(to: processes)
            self.actorSystem.detach { await self.reclaim(processes) }
        }
    }

    private func publish(_ event: MeshEvent) {
        guard !self.listeners.isEmpty else { return }
        self.listeners.removeAll(where: \.isTerminated)
        for listener in self.listeners { listener.trySend(event) }
    }

    private func scheduleTick() {
        guard let due = self.registry.nextDue, due < self.wakeAt ?? .max else { return }
        self.wakeAt = due
        let mesh = self.actorSystem
        _ = mesh.schedule(at: due) { mesh.detach { await self.tick() } }
    }

    private func tick() {
        self.wakeAt = nil
        self.note { $0.tick(at: $1) }
    }

    /// Where a process is that has been heard of.
    func address(of process: PeerID) -> PeerAddress? {
        let mesh = self.actorSystem
        if process == mesh.address.peer { return mesh.address }
        return self.members[process]?.address ?? mesh.peers.known(process)?.address
    }

    func node(_ id: PeerID) throws -> NodeAgent {
        guard let node = self.registry.nodes[id] else {
            throw MeshError(.actorUnavailable, "Node \(id) has left the mesh.")
        }
        return try self.actorSystem.service(NodeAgent.self, WellKnown.node, at: node.registration.address)
    }
}

/// A process that takes part.
struct Member: Sendable {
    static let chances = Int(ProcessStatus.patienceWithBusy) - 1
    var address: PeerAddress
    var chances = Self.chances
}

/// What a broker grants its members.
package struct MembershipTerms: Hashable, Sendable, Codable {
    /// For how long a member that is not heard keeps its place, and a node may act without having heard the broker.
    package var leaseTime: Duration
    /// How often members say that they live.
    package var heartbeatInterval: Duration
    /// How long members wait for a broker that is known to have ended.
    package var absence: Duration
    /// The keys whose holders are no part of the mesh any more.
    package var revokedKeys: Set<KeyIdentity> = []

    package init(_ settings: MeshSettings, isDurable: Bool) {
        self.leaseTime = settings.leaseTime
        self.heartbeatInterval = settings.heartbeatInterval
        self.absence = isDurable ? settings.brokerAbsence : settings.leaseTime
    }
}
