package import MeshCore
import MeshRuntime

/// Workers that run tasks which ask for resources: each has them as long as it is out.
extension Registry {
    package struct Lease: Sendable {
        package var request: PlacementRequest
        let order: UInt64
        /// Who submits the tasks.
        package var owner: PeerID
        /// Where it is; nil while it waits.
        package var node: PeerID?
        package var gpuIDs: [Int] = []
        /// The worker, once there is one.
        package var worker: PeerID?
    }

    /// Somebody wants a worker with resources. It has a node at once, or when there is room.
    ///
    /// - Throws: as `choose`, when no node could ever give it; `actorDied` when he has ended.
    package mutating func requestLease(
        _ id: UniqueID, _ request: PlacementRequest, for owner: PeerID
    ) throws(MeshError) {
        if self.gone[owner] != nil {
            throw MeshError(.actorDied, "Process \(owner), which asked for a worker, has ended.")
        }
        _ = try self.candidates(for: request)
        let lease = Lease(request: request, order: self.takeOrder(), owner: owner)
        self.leases[id] = lease
        self.queue.add(.lease(id), to: .request(request), number: lease.order)
        self.mayPlace = true
        self.placeWaiting()
    }

    mutating func put(lease id: UniqueID, _ choice: Choice) {
        self.leases[id]?.node = choice.node
        self.leases[id]?.gpuIDs = choice.grant.gpuIDs
        self.change(choice.pool) { $0.give(choice.grant, to: .lease(id)) }
        self.effects.append(.changed(id))
    }

    /// The node of a lease has given it a worker.
    ///
    /// - Returns: whether it still counts. If not, nobody wants the worker any more.
    package mutating func begin(_ id: UniqueID, in worker: PeerID) -> Bool {
        guard let lease = self.leases[id], let node = lease.node else { return false }
        guard self.gone[worker] == nil, self.gone[lease.owner] == nil else {
            self.endLease(id)
            return false
        }
        self.leases[id]?.worker = worker
        self.join(worker, node)
        self.processes[worker]?.leases.insert(id)
        return true
    }

    /// A lease has ended, or nobody waits for it any more.
    package mutating func endLease(_ id: UniqueID) {
        self.leaveQueue(.lease(id))
        guard let lease = self.leases.removeValue(forKey: id) else { return }
        if let worker = lease.worker { self.processes[worker]?.leases.remove(id) }
        if let node = lease.node { self.release(.lease(id), from: .node(node)) }
        self.mayPlace = true
        self.effects.append(.changed(id))
    }

    /// A node that joins says which of its workers are out, and what those have.
    mutating func adopt(_ hosted: [HostedLease], on node: PeerID) {
        for lease in hosted where self.leases[lease.id] == nil {
            guard
                let request = try? PlacementRequest(
                    program: "", displayType: "", resources: lease.resources)
            else { continue }
            self.leases[lease.id] = Lease(
                request: request, order: self.takeOrder(), owner: lease.owner, node: node, gpuIDs: lease.gpuIDs,
                worker: lease.worker)
            self.processes[lease.worker, default: ProcessEntry()].leases.insert(lease.id)
        }
    }

    /// Why somebody waits for a worker, in words.
    package func waitingReason(ofLease id: UniqueID) -> String? {
        self.leases[id].map { self.waitingReason($0.request) }
    }

    /// A process is gone: the leases on it, and those that only it wanted. A worker that it had is ended by its node.
    mutating func endLeases(of process: PeerID) {
        let ending = self.leases.filter { _, lease in
            lease.worker == process || lease.node == process || (lease.owner == process && lease.worker == nil)
        }
        for lease in ending.sorted(by: { $0.value.order < $1.value.order }) { self.endLease(lease.key) }
        for pool in self.processes[process]?.remainders ?? [] { self.release(.process(process), from: pool) }
    }
}
