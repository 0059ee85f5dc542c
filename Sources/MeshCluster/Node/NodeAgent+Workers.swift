import CMeshPlatform
import Distributed
import FoundationEssentials
import Glibc
import Logging
package import MeshCore
package import MeshRuntime

/// What a node grants a worker.
package struct WorkerTerms: Hashable, Sendable, Codable {
    /// For how many nanoseconds it may act.
    package var duration: UInt64
    /// Which keys were revoked, as their digest.
    package var revokedKeys: UInt64
}

/// Which workers there are, for whom, and whether they live.
extension NodeAgent {
    /// A worker says that it lives. Returns for how many nanoseconds it may act: as long as this node itself may.
    ///
    /// - Parameter time: when it asked; a worker has the clock of its node.
    package distributed func renew(_ worker: PeerID, askedAt time: UInt64) async throws -> WorkerTerms {
        let now = cmesh_monotonic_nanoseconds()
        let revoked = self.mesh.revoked.digest
        guard self.workers[worker] != nil else { return WorkerTerms(duration: 0, revokedKeys: revoked) }
        self.workerLeases.hear(worker, at: now)
        self.workers[worker]?.chances = Int(ProcessStatus.patienceWithBusy) - 1
        // Nobody takes over the actors of an embedded mesh.
        let granted = try self.membership.remainingLease(at: now) ?? .max
        self.workers[worker]?.lease.renewed(askedAt: time, for: granted)
        return WorkerTerms(duration: granted, revokedKeys: revoked)
    }

    /// The keys that were revoked, as far as this node knows.
    package distributed func revokedKeys() async throws -> Set<KeyIdentity> { self.mesh.revoked }

    /// Whether a worker can be given something to do. One whose lease has run out, as when it was frozen together with
    /// this node, has not ended yet, but is about to.
    func isOfUse(_ worker: PeerID) -> Bool {
        guard let entry = self.workers[worker], entry.endedFor == nil, !entry.isRetiring else { return false }
        guard entry.lease.remaining(at: cmesh_monotonic_nanoseconds()) == 0 else { return true }
        self.end(worker, for: "its lease had run out")
        return false
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
        self.unborn = [:]
        self.homes = [:]
        for worker in self.workers.keys {
            self.workers[worker]?.actors = [:]
            self.end(worker, for: "its node was given up by the broker")
        }
    }

    // MARK: Tasks

    /// A worker of its own for a submitter of tasks; waits until one of the node's slots is free, unless the submitter
    /// runs tasks itself and has a slot, here or elsewhere.
    package distributed func leaseWorker(
        program: String, for owner: PeerID, isNested: Bool
    ) async throws -> WorkerLease {
        try self.check(program, for: "the task")
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
        guard let owner = self.workers[worker]?.leasedBy else { return }
        try CallOrigin.requireSpeaking(for: owner)
        self.workers[worker]?.leasedBy = nil
        if let lease = self.workers[worker]?.taskLease { return self.endLease(lease) }
        self.releaseSlot()
        self.giveBack(worker)
    }

    /// Ends a worker that its submitter cannot reach, with what it does.
    package distributed func endLease(_ worker: PeerID, of owner: PeerID) async throws {
        try CallOrigin.requireSpeaking(for: owner)
        guard self.workers[worker]?.leasedBy == owner else { return }
        self.end(worker, for: "whoever had leased it could not reach it")
    }

    /// Keeps a worker for the next use, if few are kept.
    func giveBack(_ worker: PeerID) {
        guard self.workers[worker] != nil else { return }
        if self.idle.count < max(1, self.warmTarget) {
            self.workers[worker]?.isTaken = false
            self.idle.append(worker)
        } else {
            self.retire(worker, for: "it was not needed any more", keepsObjects: true)
        }
    }

    /// Processes are gone that may have leased workers: what still runs there is of no use to anybody.
    package distributed func ownersLost(_ owners: [PeerID]) async throws {
        self.mesh.objects.storeIfMade?.forget(Set(owners))
        for worker in self.workers.values {
            if let owner = worker.leasedBy, owners.contains(owner) {
                self.end(worker.address.peer, for: "whoever had leased it has ended")
            }
        }
    }

    func releaseSlot() {
        if self.leaseWaiters.isEmpty { self.leases -= 1 } else { self.leaseWaiters.removeFirst().resume() }
    }
}
