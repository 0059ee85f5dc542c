import CMeshPlatform
package import Distributed
import FoundationEssentials
import Logging
package import MeshCore
package import MeshRuntime

/// Knows the names, actors and nodes of a mesh, and decides where actors live. It is never on the way of a call
/// between two actors.
package distributed actor Broker {
    package typealias ActorSystem = Mesh

    private var registry = Registry()
    private var startWaiters: [UniqueID: [CheckedContinuation<Void, Never>]] = [:]
    private var members: [PeerID: Member] = [:]
    /// Processes that own actors which a node brought, and that have not joined again; with the time to give them up.
    private var missingOwners: [PeerID: UInt64] = [:]

    private struct Member {
        var host: HostID
        var lastHeard: UInt64
    }

    package init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Begins to watch the processes that take part. Called once, by the process that hosts the broker.
    package static func watchPeers(on mesh: Mesh) throws {
        let handle = try mesh.service(Broker.self, WellKnown.broker, at: mesh.address)
        mesh.onPeerLost { peer, error in
            Task { try? await handle.peerLost(peer, reason: error.message) }
        }
        self.scheduleLeaseCheck(on: mesh, handle)
    }

    private static func scheduleLeaseCheck(on mesh: Mesh, _ handle: Broker) {
        let interval = mesh.settings.heartbeatInterval.nanoseconds
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + interval) { [weak mesh] in
            guard let mesh, !mesh.isStopped else { return }
            Task { try? await handle.checkLeases() }
            self.scheduleLeaseCheck(on: mesh, handle)
        }
    }

    // MARK: Members

    /// Begins the membership of a driver.
    package distributed func join(_ driver: PeerAddress) async throws {
        self.admit(driver)
    }

    /// Begins the membership of a node. When the broker was away it brings the actors that it already has, and the
    /// worker processes, which may own actors elsewhere.
    package distributed func register(
        _ node: NodeRegistration, actors: [HostedSpec], workers: [PeerID]
    ) async throws {
        self.admit(node.address)
        for worker in workers { self.missingOwners[worker] = nil }
        let listed = Set(actors.map(\.spec.id))
        for stale in self.registry.add(node) where !listed.contains(stale) { _ = self.registry.remove(stale) }
        let patience = self.now + self.actorSystem.settings.leaseTime.nanoseconds
        for actor in actors {
            do {
                try self.registry.adopt(actor.spec, on: node.address.peer, at: actor.address)
            } catch {
                // Its name has gone to another actor since: there can be only one.
                let agent = try self.node(at: node.address)
                Task { try? await agent.stop(actor.spec.id) }
                continue
            }
            let owner = actor.spec.owner
            guard actor.spec.options.lifetime == .owned, self.members[owner] == nil, !workers.contains(owner) else {
                continue
            }
            if self.missingOwners[owner] == nil { self.missingOwners[owner] = patience }
        }
    }

    private func admit(_ address: PeerAddress) {
        self.missingOwners[address.peer] = nil
        self.members[address.peer] = Member(host: address.host, lastHeard: self.now)
    }

    private var now: UInt64 { cmesh_monotonic_nanoseconds() }

    package distributed func heartbeat(_ peer: PeerID) async throws {
        guard self.members[peer] != nil else {
            throw MeshError(.actorNotFound, "Process \(peer) is no member; it has to join again.")
        }
        self.members[peer]?.lastHeard = self.now
    }

    /// A member says that it leaves, or its process has ended.
    package distributed func peerLost(_ peer: PeerID, reason: String) async throws {
        self.members[peer] = nil
        self.missingOwners[peer] = nil
        var owners = [peer]
        var orphans: [UniqueID] = []
        for entry in self.registry.removeNode(peer) {
            orphans.append(entry.spec.id)
            if let worker = entry.address { owners.append(worker.peer) }
        }
        for owner in owners { orphans += self.registry.owned(by: owner) }
        await self.end(orphans, of: owners)
    }

    /// Ends the actors of processes that are gone, and takes back the workers that those had.
    private func end(_ orphans: [UniqueID], of owners: [PeerID]) async {
        let nodes = self.registry.nodes.values.compactMap { try? self.node(at: $0.registration.address) }
        await withTaskGroup(of: Void.self) { group in
            for node in nodes { group.addTask { try? await node.ownersLost(owners) } }
            for actor in orphans { group.addTask { try? await self.kill(actor) } }
        }
    }

    /// Gives up the members that were not heard for the lease time. Those of this host are watched by the kernel, and
    /// may be silent: one that is stopped in a debugger has not ended.
    package distributed func checkLeases() async throws {
        let now = self.now
        let lease = self.actorSystem.settings.leaseTime.nanoseconds
        for (peer, member) in self.members
        where member.host != self.actorSystem.address.host && now > member.lastHeard + lease {
            try? await self.peerLost(peer, reason: "it was not heard for the lease time")
        }
        for (owner, patience) in self.missingOwners where now > patience {
            try? await self.peerLost(owner, reason: "it did not join again after the broker had been away")
        }
    }

    // MARK: Actors

    /// Makes an actor on some node.
    package distributed func spawn(_ spec: ActorSpec) async throws -> StartOutcome {
        let node = try self.registry.place(spec)
        let address = node.registration.address
        try self.registry.reserve(spec, on: address.peer)
        defer { self.startEnded(spec.id) }
        let outcome: StartOutcome
        do {
            outcome = try await self.node(at: address).start(spec)
        } catch {
            _ = self.registry.remove(spec.id)
            throw error
        }
        switch outcome {
        case .failed:
            _ = self.registry.remove(spec.id)
        case .started(let handle):
            guard self.registry.started(spec.id, at: handle.location.address) else {
                try? await self.node(at: address).stop(spec.id)
                throw MeshError(.actorDied, "\(spec.label) was killed while it started.")
            }
        }
        return outcome
    }

    package distributed func find(name: String, namespace: String?) async throws -> HandleFields? {
        // An actor that is still starting is found once its initialiser has ended.
        guard let entry = try self.registry.find(name: name, namespace: namespace), let address = entry.address else {
            return nil
        }
        return entry.spec.handle(at: address)
    }

    /// Returns when no actor of that name is starting.
    package distributed func waitUntilStarted(name: String, namespace: String?) async throws {
        guard let entry = try self.registry.find(name: name, namespace: namespace), entry.state == .starting else {
            return
        }
        await withCheckedContinuation { self.startWaiters[entry.spec.id, default: []].append($0) }
    }

    private func startEnded(_ actor: UniqueID) {
        for waiter in self.startWaiters.removeValue(forKey: actor) ?? [] { waiter.resume() }
    }

    /// Ends an actor. One that has ended already is no error.
    package distributed func kill(_ actor: UniqueID) async throws {
        guard let entry = self.registry.remove(actor) else { return }
        guard let node = self.registry.nodes[entry.node] else { return }
        try await self.node(at: node.registration.address).stop(actor)
    }

    /// Actors of a node have ended by themselves, or with their process.
    package distributed func ended(actors: [UniqueID], worker: PeerID?, reason: String) async throws {
        for actor in actors { _ = self.registry.remove(actor) }
        if let worker { await self.end(self.registry.owned(by: worker), of: [worker]) }
    }

    // MARK: Tasks

    /// A worker for tasks of a program; waits until a node has one free.
    package distributed func leaseWorker(program: String, for owner: PeerID) async throws -> WorkerLease {
        let nodes = self.registry.nodes.values.filter { $0.registration.programs.contains(program) }
        guard let node = nodes.randomElement() else {
            let programs = Set(self.registry.nodes.values.flatMap(\.registration.programs)).sorted()
            throw MeshError(
                .typeNotFound,
                "No node runs the program \"\(program)\"; the nodes run: [\(programs.joined(separator: ", "))]. "
                    + "Start a node with that program: \(program) node --mesh ADDRESS.")
        }
        let agent = try self.node(at: node.registration.address)
        let lease = try await agent.leaseWorker(program: program, for: owner)
        // Whoever asked may have gone in the meantime.
        if Task.isCancelled { try await agent.returnWorker(lease.worker.peer) }
        return lease
    }

    // MARK: What there is

    package distributed func actors() async throws -> [ActorInfo] {
        self.registry.entries.values.map { entry in
            ActorInfo(
                id: entry.spec.id, typeName: entry.spec.displayType, name: entry.spec.options.name,
                namespace: entry.spec.options.namespace ?? Registry.defaultNamespace, state: entry.state,
                node: self.registry.nodes[entry.node]?.registration.name ?? "",
                processID: entry.address?.processID ?? 0, incarnation: entry.spec.incarnation,
                placement: entry.spec.options.placement, lifetime: entry.spec.options.lifetime)
        }.sorted { ($0.name ?? "~", $0.typeName, $0.id.description) < ($1.name ?? "~", $1.typeName, $1.id.description) }
    }

    package distributed func nodes() async throws -> [NodeInfo] {
        self.registry.nodes.values.map { node in
            NodeInfo(
                name: node.registration.name, programs: node.registration.programs,
                processID: node.registration.address.processID, endpoints: node.registration.address.endpoints,
                resources: node.registration.resources, actors: node.actors.count)
        }.sorted { $0.name < $1.name }
    }

    private func node(at address: PeerAddress) throws -> NodeAgent {
        try self.actorSystem.service(NodeAgent.self, WellKnown.node, at: address)
    }
}

/// An actor that a node has, as it tells a broker that was away.
package struct HostedSpec: Hashable, Sendable, Codable {
    package var spec: ActorSpec
    package var address: PeerAddress

    package init(spec: ActorSpec, address: PeerAddress) {
        self.spec = spec
        self.address = address
    }
}
