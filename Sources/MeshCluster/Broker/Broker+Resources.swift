import Distributed
import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// Workers and bundles for those who ask for resources.
extension Broker {
    // MARK: Tasks

    /// A worker for tasks that ask for resources, which it has until it is given back; waits until they are free.
    ///
    /// - Throws: `insufficientResources` at once when no node could ever give them.
    package distributed func leaseResources(
        _ resources: Resources, program: String, type: String, for owner: PeerID
    ) async throws -> WorkerLease {
        try CallOrigin.requireSpeaking(for: owner)
        let request = try PlacementRequest(program: program, displayType: type, resources: resources)
        while true {
            do {
                return try await self.leaseOnce(request, resources, for: owner)
            } catch let error as MeshError where error.code == .actorUnavailable {
                // Its node was lost meanwhile; there may be others.
                try Task.checkCancellation()
            }
        }
    }

    private func leaseOnce(
        _ request: PlacementRequest, _ resources: Resources, for owner: PeerID
    ) async throws -> WorkerLease {
        let id = UniqueID.make()
        try await self.withReturningNodes {
            try self.note { registry, _ in try registry.requestLease(id, request, for: owner) }
        }
        do {
            let node = try await self.node(ofLease: id)
            let gpuIDs = self.registry.leases[id]?.gpuIDs ?? []
            let agent = try self.node(node)
            let lease: WorkerLease
            do {
                lease = try await agent.leaseResources(
                    id, resources, gpuIDs: gpuIDs, program: request.program, for: owner)
            } catch let error as MeshError where error.code == .actorDied {
                throw MeshError(.actorUnavailable, error.message, cause: error)
            }
            let worker = lease.worker.peer
            let counts = self.note { registry, _ in registry.begin(id, in: worker) }
            // Whoever asked may have gone in the meantime.
            if !counts || Task.isCancelled {
                try await agent.returnWorker(worker)
                throw CancellationError()
            }
            return lease
        } catch {
            // One that has a worker ends with that, or when its node says so.
            if self.registry.leases[id]?.worker == nil { self.note { registry, _ in registry.endLease(id) } }
            throw error
        }
    }

    /// The node of a lease, once there is room on one.
    private func node(ofLease id: UniqueID) async throws -> PeerID {
        while true {
            let changes = self.waiters.changes
            guard let lease = self.registry.leases[id] else {
                throw MeshError(.actorUnavailable, "The node of a worker was lost before the worker could be used.")
            }
            if let node = lease.node { return node }
            try Task.checkCancellation()
            await self.waiters.wait(for: id, since: changes)
        }
    }

    /// A node has taken a worker with resources back.
    package distributed func leaseEnded(_ id: UniqueID) async throws {
        self.note { registry, _ in registry.endLease(id) }
    }

    // MARK: Placement groups

    /// Makes a placement group; returns when it is placed.
    ///
    /// - Throws: `insufficientResources` when it could never be; `deadlineExceeded` when it was not in time.
    package distributed func addGroup(_ spec: PlacementGroupSpec) async throws {
        if spec.lifetime == .owned { try CallOrigin.requireSpeaking(for: spec.owner.process) }
        try await self.withReturningNodes { try self.note { registry, _ in try registry.addGroup(spec) } }
        let alarm = spec.timeout.map { timeout in
            let mesh = self.actorSystem
            let time = self.now + min(timeout, 1 << 62)
            return mesh.schedule(at: time) { mesh.detach { await self.giveUpGroup(spec.id) } }
        }
        defer { if let alarm { self.actorSystem.timers.cancel(alarm) } }
        while true {
            let changes = self.waiters.changes
            guard let group = self.registry.groups[spec.id], !group.isLeaving else {
                let reason = self.lateGroups.removeValue(forKey: spec.id)
                throw MeshError(
                    reason == nil ? .actorDied : .deadlineExceeded,
                    "The placement group \(spec.label) "
                        + (reason.map { "was not placed in time; it waited for \($0)." } ?? "was removed."))
            }
            if group.isPlaced { break }
            if Task.isCancelled {
                self.note { $0.removeGroup(spec.id, at: $1) }
                throw CancellationError()
            }
            await self.waiters.wait(for: spec.id, since: changes)
        }
        try await self.stored()
    }

    private func giveUpGroup(_ id: UniqueID) {
        guard let reason = self.registry.waitingReason(ofGroup: id) else { return }
        self.lateGroups[id] = reason
        self.note { $0.removeGroup(id, at: $1) }
    }

    /// Removes a placement group with the actors in it; returns when its resources are free.
    package distributed func removeGroup(_ id: UniqueID) async throws {
        self.note { $0.removeGroup(id, at: $1) }
        while self.registry.groups[id] != nil, !Task.isCancelled {
            let changes = self.waiters.changes
            guard self.registry.groups[id] != nil else { break }
            await self.waiters.wait(for: id, since: changes)
        }
        try await self.stored()
    }

    /// The placement group of a name.
    package distributed func findGroup(_ name: String, namespace: String?) async throws -> PlacementGroup? {
        self.registry.groups.values.first {
            $0.spec.name == name && $0.spec.namespace == namespace && !$0.isLeaving && $0.isPlaced
        }.map { PlacementGroup(id: $0.spec.id, count: $0.bundles.count) }
    }
}
