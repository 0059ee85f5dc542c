import CMeshPlatform
import DequeModule
import MeshCore
import MeshRuntime
import Synchronization

/// How workers are asked for, and what becomes of the tasks that wait when none can be had.
extension TaskScheduler {
    private static let maximumRequests = 64
    /// How often one worker is given back though there is work for it, so that a submitter which is never idle comes to
    /// nodes that have joined since, and others to their turn.
    static let moveTime: UInt64 = 1_000_000_000
    /// For how many leases tasks wait for the successor of what died.
    private static let leasesToWait: UInt64 = 4
    /// How long to wait before asking again for a worker that could not be had.
    private static let retryTime: UInt64 = 200_000_000

    func requestLeases() {
        let count = self.state.withLock { state in
            let wanted = min(state.queue.count, Self.maximumRequests) - state.requested
            state.requested += max(0, wanted)
            return max(0, wanted)
        }
        for _ in 0..<count { self.requestLease() }
    }

    private func requestLease() {
        if let resources = self.resources { return self.requestLease(with: resources) }
        MeshScope.$current.withValue(nil) {
            _ = Task(executorPreference: self.mesh.executor) { [mesh] in
                do {
                    let membership = try mesh.membership
                    let lease = try await membership.ask {
                        try await $0.leaseWorker(
                            program: membership.program, for: mesh.address.peer,
                            isNested: !membership.runningTasks.isEmpty)
                    }
                    self.add(lease, try mesh.service(WorkerAgent.self, WellKnown.worker, at: lease.worker))
                } catch {
                    self.failed(error)
                }
            }
        }
    }

    // MARK: Workers with resources

    private func requestLease(with resources: Resources) {
        let work = TaskWork()
        let (number, type) = self.state.withLock { state in
            state.nextRequest += 1
            state.requests[state.nextRequest] = work
            return (state.nextRequest, state.queue.first?.spec.displayType ?? "")
        }
        let call = MeshScope.$current.withValue(nil) {
            Task(executorPreference: self.mesh.executor) { [mesh] in
                do {
                    let membership = try mesh.membership
                    let lease = try await membership.ask {
                        try await $0.leaseResources(
                            resources, program: membership.program, type: type, for: mesh.address.peer)
                    }
                    self.state.withLock { $0.requests[number] = nil }
                    self.add(lease, try mesh.service(WorkerAgent.self, WellKnown.worker, at: lease.worker))
                } catch {
                    let isDropped = self.state.withLock { $0.requests.removeValue(forKey: number) == nil }
                    if isDropped { self.requestDropped() } else { self.failed(error) }
                }
            }
        }
        work.begin(call)
    }

    /// Takes back the questions for workers that nobody needs any more.
    func dropRequests() {
        let dropped = self.state.withLock { state in
            let surplus = max(0, state.requests.count - state.queue.count)
            let numbers = state.requests.keys.sorted().suffix(surplus)
            return numbers.compactMap { state.requests.removeValue(forKey: $0) }
        }
        for request in dropped { request.cancel() }
    }

    private func requestDropped() {
        self.state.withLock { $0.requested -= 1 }
        self.requestLeases()
    }

    private func add(_ lease: WorkerLease, _ agent: WorkerAgent) {
        let isWanted = self.state.withLock { state in
            state.requested -= 1
            state.hadWorkers = true
            state.failsSince = nil
            guard !state.queue.isEmpty else { return false }
            if state.leases.isEmpty { state.nextMove = cmesh_monotonic_nanoseconds() + Self.moveTime }
            state.leases[lease.worker.peer] = Lease(lease: lease, agent: agent)
            return true
        }
        if isWanted { self.fill(lease.worker.peer) } else { self.giveBack(lease) }
    }

    /// No worker can be had: the tasks that wait fail, since nothing else will run them. While others run, the workers
    /// that those have may come to them; and more are asked for again. So they are for a while when the broker is away, or
    /// a node or a worker died that was to be had, since it may come back or have a successor.
    private func failed(_ error: any Error) {
        let now = cmesh_monotonic_nanoseconds()
        let (jobs, asksAgain) = self.state.withLock { state -> (Deque<TaskJob>, Bool) in
            state.requested -= 1
            guard state.requested == 0 else { return ([], false) }
            guard state.leases.isEmpty else { return ([], !state.queue.isEmpty) }
            let since = state.failsSince ?? now
            if Self.mayPass(error, hadWorkers: state.hadWorkers),
                now < since + Self.leasesToWait * self.mesh.settings.leaseTime.nanoseconds
            {
                state.failsSince = since
                return ([], !state.queue.isEmpty)
            }
            state.failsSince = nil
            defer { state.queue = [] }
            return (state.queue, false)
        }
        for job in jobs { job.end(.failure(error)) }
        guard asksAgain else { return }
        _ = self.mesh.schedule(at: cmesh_monotonic_nanoseconds() + Self.retryTime) { [weak mesh, weak self] in
            guard let mesh, !mesh.isStopped else { return }
            self?.requestLeases()
        }
    }

    /// Whether a worker may be had soon that could not be had now.
    ///
    /// - Parameter hadWorkers: whether there were any: then it is no mistake of whoever submits.
    static func mayPass(_ error: any Error, hadWorkers: Bool) -> Bool {
        switch (error as? MeshError)?.code {
        case .actorDied, .actorUnavailable, .brokerUnavailable: true
        case .typeNotFound, .insufficientResources, .systemFailure: hadWorkers
        default: false
        }
    }
}
