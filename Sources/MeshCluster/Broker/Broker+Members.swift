import Distributed
import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// Processes join and leave.
extension Broker {
    /// Begins the membership of a driver.
    package distributed func join(_ driver: PeerAddress) async throws -> MembershipTerms {
        try CallOrigin.requireSpeaking(for: driver.peer)
        self.admit(driver)
        self.registry.welcome(driver.peer)
        return self.terms
    }

    /// Begins the membership of a node. When the broker was away it brings the actors that it already has, and the
    /// worker processes, which may own actors elsewhere, and what has ended itself in the meantime.
    package distributed func register(
        _ node: NodeRegistration, actors: [HostedSpec], workers: [PeerID], exits: [ActorLife]
    ) async throws -> MembershipTerms {
        // What cannot be is refused before anything of it counts.
        _ = try ResourceAmounts(offered: node.resources)
        self.admit(node.address)
        for worker in workers { self.missingOwners[worker] = nil }
        let strays = self.note { registry, now in
            for exit in exits { registry.exited(exit.id, incarnation: exit.incarnation, at: now) }
            return registry.add(node, actors: actors, workers: workers, at: now)
        }
        self.waiters.wake(WellKnown.broker)
        for stray in strays {
            let agent = try self.node(node.address.peer)
            self.actorSystem.detach {
                _ = try await agent.end(stray.id, incarnation: stray.incarnation, .kill, because: .nodeLost)
            }
        }
        // As those who hold actors: a link that the broker's end cut, or a busy machine, takes its time to join again.
        let patience = self.now + self.registry.settings.claimTime
        for actor in actors where !actor.spec.isDetached && actor.spec.owner.actor == nil {
            let owner = actor.spec.owner.process
            guard !self.leases.contains(owner), !workers.contains(owner) else { continue }
            if self.missingOwners[owner] == nil { self.missingOwners[owner] = patience }
        }
        return self.terms
    }

    private func admit(_ member: PeerAddress) {
        self.missingOwners[member.peer] = nil
        self.leases.hear(member.peer, at: self.now)
        self.members[member.peer] = Member(address: member)
    }

    /// Whether a member that was not heard for the lease time only waits for a processor of this host, and how often it
    /// may.
    private func isBusy(_ peer: PeerID) -> Bool {
        guard let member = self.members[peer], member.address.host == self.actorSystem.address.host,
            member.chances > 0, !ProcessStatus.isStopped(member.address.processID)
        else { return false }
        self.members[peer]?.chances -= 1
        return true
    }

    /// A member says that it lives.
    ///
    /// - Returns: which keys were revoked, as their digest.
    /// - Throws: `actorNotFound` when its lease has run out; it has to join again, as if it were new.
    package distributed func heartbeat(_ peer: PeerID) async throws -> UInt64 {
        try CallOrigin.requireSpeaking(for: peer)
        guard self.leases.contains(peer) else {
            throw MeshError(.actorNotFound, "Process \(peer) is no member; it has to join again.")
        }
        self.leases.hear(peer, at: self.now)
        self.members[peer]?.chances = Member.chances
        return self.revokedKeys.digest
    }

    /// A member says that it leaves, or its process has ended.
    package distributed func peerLost(_ peer: PeerID, reason: String) async throws {
        // The node of a worker knows better how that ended.
        guard !self.registry.isWorkerOfLivingNode(peer) else { return }
        self.giveUp(peer, reason: reason)
    }

    private func giveUp(_ peer: PeerID, reason: String) {
        self.leases.remove(peer)
        self.members[peer] = nil
        self.taskTurns.forget(peer)
        self.missingOwners[peer] = nil
        let isNode = self.registry.nodes[peer] != nil
        let reason = isNode ? "Its node was lost: \(reason)" : reason
        self.note { $0.lost(peer, Registry.Death(.nodeLost, reason), at: $1) }
    }

    /// An owner is to ask whether anybody holds objects of its. When it cannot be reached it is told again.
    func tell(_ owner: PeerID, thatNobodyHolds objects: [UniqueID]) {
        guard let address = self.address(of: owner) else { return }
        let mesh = self.actorSystem
        mesh.detach {
            do {
                try await mesh.service(ObjectHost.self, WellKnown.objects, at: address).askForHolders(of: objects)
            } catch let error as MeshError where error.code == .actorUnavailable {
                await self.notTold(owner, objects)
            }
        }
    }

    private func notTold(_ owner: PeerID, _ objects: [UniqueID]) {
        guard !self.registry.isGone(owner) else { return }
        self.untoldOwners[owner, default: []].formUnion(objects)
    }

    /// Tells those that could not be reached once more.
    func tellUntoldOwners() {
        defer { self.untoldOwners = [:] }
        for (owner, objects) in self.untoldOwners where !self.registry.isGone(owner) {
            self.tell(owner, thatNobodyHolds: Array(objects))
        }
    }

    /// Ends the links to processes of other hosts that are given up. Nobody tells when those end, and their connections
    /// would be tried again for ever. One that lives makes itself known again.
    func forgetLinks(to processes: [PeerID]) {
        let mesh = self.actorSystem
        for peer in processes.compactMap(mesh.peers.known) where peer.address.host != mesh.address.host {
            mesh.giveUp(peer, because: MeshError(.actorUnavailable, "Its process was not heard for the lease time."))
        }
    }

    /// Gives up the members that were not heard for the lease time.
    package distributed func checkLeases() async throws {
        self.actorSystem.reportMetrics()
        self.tellUntoldOwners()
        if self.registry.expectsReturnsUntil > 0, self.now >= self.registry.expectsReturnsUntil {
            // What has not come back by now is gone.
            self.registry.expectReturns(until: 0)
            self.waiters.wakeAll()
        }
        for peer in self.leases.tick(now: self.now) where peer != self.actorSystem.address.peer {
            guard !self.isBusy(peer) else {
                self.leases.hear(peer, at: self.now)
                continue
            }
            self.giveUp(peer, reason: "It was not heard for the lease time.")
        }
        for (owner, patience) in self.missingOwners where self.now > patience {
            self.giveUp(owner, reason: "It did not join again after the broker had been away.")
        }
    }

    // MARK: Tasks

    /// A worker for tasks of a program; waits until a node has one free. The nodes get their turns one after another; if
    /// one is lost meanwhile, another is asked.
    ///
    /// - Parameter isNested: whether the owner runs tasks itself, and so has a worker: it must not wait for one that may
    ///   never become free, because others wait for it.
    package distributed func leaseWorker(
        program: String, for owner: PeerID, isNested: Bool
    ) async throws -> WorkerLease {
        try CallOrigin.requireSpeaking(for: owner)
        self.wantedWorkers += 1
        defer { self.wantedWorkers -= 1 }
        var silent: [PeerID: MeshError] = [:]
        while true {
            let nodes = try await self.withReturningNodes { try self.nodes(running: program) }
            guard let node = self.taskTurns.begin(among: nodes.filter { silent[$0] == nil }) else {
                throw MeshError(
                    .actorUnavailable, "No node with the program \"\(program)\" answers. Try again later.",
                    cause: silent.values.map(\.description).joined(separator: "; "))
            }
            defer { self.taskTurns.end(at: node) }
            do {
                let agent = try self.node(node)
                let lease = try await agent.leaseWorker(program: program, for: owner, isNested: isNested)
                // Whoever asked may have gone in the meantime.
                if Task.isCancelled { try await agent.returnWorker(lease.worker.peer) }
                return lease
            } catch let error as MeshError where error.code == .actorUnavailable || error.code == .actorDied {
                silent[node] = error
            }
        }
    }

    private func nodes(running program: String) throws(MeshError) -> [PeerID] {
        let nodes = self.registry.nodes.filter { $0.value.registration.programs.contains(program) }
        guard !nodes.isEmpty else {
            let programs = Set(self.registry.nodes.values.flatMap(\.registration.programs)).sorted()
            throw MeshError(
                .typeNotFound,
                "No node runs the program \"\(program)\"; the nodes run: [\(programs.joined(separator: ", "))]. "
                    + "Start a node with that program: \(program) node --mesh ADDRESS.")
        }
        return Array(nodes.keys)
    }

    /// Does something for which there has to be a node. While the nodes of an earlier broker may still come back, it is
    /// tried again with each that does.
    func withReturningNodes<Result>(_ body: () throws -> Result) async throws -> Result {
        while true {
            let changes = self.waiters.changes
            do {
                return try body()
            } catch let error as MeshError {
                let isPlacement = [.typeNotFound, .insufficientResources, .invalidArgument].contains(error.code)
                guard isPlacement, self.now < self.registry.expectsReturnsUntil else { throw error }
            }
            try Task.checkCancellation()
            await self.waiters.wait(for: WellKnown.broker, since: changes)
        }
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
