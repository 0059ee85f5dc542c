import Distributed
package import MeshCore
package import MeshRuntime

/// Workers that have resources: GPUs that they see, and tasks of their own.
extension NodeAgent {
    /// What CUDA calls some GPUs of this node; nil when it has none, and nobody needs to be told.
    func devices(_ ids: [Int]) -> [String]? {
        self.gpuDevices.isEmpty ? nil : ids.filter(self.gpuDevices.indices.contains).map { self.gpuDevices[$0] }
    }

    /// A worker for tasks that have resources, which the broker has set aside. It takes none of the node's slots.
    package distributed func leaseResources(
        _ id: UniqueID, _ resources: Resources, gpuIDs: [Int], program: String, for owner: PeerID
    ) async throws -> WorkerLease {
        try self.check(program, for: "the task")
        let worker = try await self.take(isFresh: !gpuIDs.isEmpty)
        self.workers[worker]?.leasedBy = owner
        self.workers[worker]?.taskLease = HostedLease(
            id: id, owner: owner, worker: worker, resources: resources, gpuIDs: gpuIDs)
        do {
            if !gpuIDs.isEmpty { try await self.agent(worker).equip(gpuIDs, devices: self.devices(gpuIDs)) }
            // Whoever asked may have gone in the meantime.
            try Task.checkCancellation()
            guard let address = self.workers[worker]?.address else {
                throw MeshError(.actorDied, "The worker ended before it could be used.")
            }
            return WorkerLease(node: self.registration.address, worker: address)
        } catch {
            try await self.returnWorker(worker)
            throw error
        }
    }

    /// A worker with resources has nothing more to do.
    func endLease(_ lease: HostedLease) {
        // What was loaded into a GPU goes with the process, and the broker hears that it has ended.
        guard lease.gpuIDs.isEmpty else {
            return self.retire(lease.worker, for: "its tasks have given back their GPUs", keepsObjects: true)
        }
        self.giveUp(lease)
        self.giveBack(lease.worker)
    }

    /// A worker has its resources no more.
    func giveUp(_ lease: HostedLease) {
        self.workers[lease.worker]?.taskLease = nil
        self.tellBroker { try await $0.leaseEnded(lease.id) }
    }
}
