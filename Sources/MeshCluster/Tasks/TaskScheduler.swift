import CMeshPlatform
import DequeModule
import FoundationEssentials
import MeshCore
package import MeshRuntime
import Synchronization

/// Runs the tasks that this process submits, in worker processes that it leases.
///
/// A leased worker gets one task at a time as long as tasks take long, and several while they are short: those travel
/// together, and run side by side there, so none waits for another.
package final class TaskScheduler: Sendable {
    struct Lease {
        var lease: WorkerLease
        /// Runs its tasks.
        var agent: WorkerAgent
        var running = 0
        /// How many tasks it may have at once.
        var depth = 1
        var idleSince: UInt64 = 0
        /// Whether it is given back when it has done what it has.
        var isLeaving = false
    }

    struct State {
        var queue: Deque<TaskJob> = []
        var leases: [PeerID: Lease] = [:]
        var requested = 0
        /// Whether there was ever one.
        var hadWorkers = false
        /// Since when none can be had.
        var failsSince: UInt64?
        var isSweeping = false
        /// When the next worker is given back for another.
        var nextMove: UInt64 = 0
        /// The questions for workers with resources, so that those which nobody needs any more can be taken back.
        var requests: [UInt64: TaskWork] = [:]
        var nextRequest: UInt64 = 0
    }

    let state = Mutex(State())
    unowned let mesh: Mesh
    /// What each task has while it runs, and then it is alone in its worker; nil for those that asked for nothing.
    let resources: Resources?
    private static let maximumDepth = 64
    /// A task that took less is short.
    private static let shortTask: UInt64 = 2_000_000
    private static let idleTime: UInt64 = 200_000_000

    init(mesh: Mesh, resources: Resources? = nil) {
        self.mesh = mesh
        self.resources = resources
    }

    /// Submits a task. Returns what cancels it: a task that waits does not start any more, one that runs is told.
    package func submit(
        _ spec: TaskSpec, retries: Limit, finish: @escaping TaskJob.Finish
    ) -> @Sendable () -> Void {
        let job = TaskJob(spec, attemptsLeft: retries.count.map { $0 == .max ? $0 : $0 + 1 }, finish: finish)
        self.enqueue(job)
        return { [weak self] in
            job.work.cancel()
            self?.drop(job)
        }
    }

    private func drop(_ job: TaskJob) {
        let isWaiting = self.state.withLock { state in
            guard let index = state.queue.firstIndex(where: { $0.work === job.work }) else { return false }
            state.queue.remove(at: index)
            return true
        }
        guard isWaiting else { return }
        self.dropRequests()
        let message = "The task \(job.spec.displayType) was cancelled before it started."
        job.end(.failure(MeshError(.cancelled, message)))
    }

    private func enqueue(_ job: TaskJob) {
        let start = self.state.withLock { state -> (TaskJob, Lease)? in
            guard state.queue.isEmpty, let lease = Self.free(&state) else {
                state.queue.append(job)
                return nil
            }
            return (job, lease)
        }
        if let (job, lease) = start { self.run(job, on: lease) } else { self.requestLeases() }
    }

    /// A leased worker that may have one more task: the one with the fewest.
    private static func free(_ state: inout State) -> Lease? {
        var best: PeerID?
        for (peer, lease) in state.leases where lease.running < lease.depth && !lease.isLeaving {
            if let known = best, state.leases[known]?.running ?? 0 <= lease.running { continue }
            best = peer
        }
        guard let best else { return nil }
        state.leases[best]?.running += 1
        return state.leases[best]
    }

    func fill(_ peer: PeerID) {
        while true {
            let next = self.state.withLock { state -> (TaskJob, Lease)? in
                guard let lease = state.leases[peer], lease.running < lease.depth, !lease.isLeaving,
                    let job = state.queue.popFirst()
                else { return nil }
                state.leases[peer]?.running += 1
                return (job, lease)
            }
            guard let (job, lease) = next else { return }
            self.run(job, on: lease)
        }
    }

    private func run(_ job: TaskJob, on lease: Lease) {
        let begin = cmesh_monotonic_nanoseconds()
        // A task is no part of the call in which it was submitted: it may well call the actor that submitted it.
        let call = MeshScope.$current.withValue(nil) {
            Task.immediate(executorPreference: self.mesh.executor) {
                await self.perform(job, on: lease.lease, by: lease.agent, since: begin)
            }
        }
        job.work.begin(call)
    }

    private func perform(
        _ job: TaskJob, on lease: WorkerLease, by worker: WorkerAgent, since begin: UInt64
    ) async {
        do {
            let outcome = try await worker.run(job.spec)
            job.end(.success(outcome))
            if case .streaming = outcome { return await self.awaitStreams(of: job, from: worker, lease, since: begin) }
            self.finished(lease.worker.peer, took: cmesh_monotonic_nanoseconds() - begin)
        } catch let error as MeshError where error.code == .actorDied || error.code == .actorUnavailable {
            self.lost(job, on: lease, error)
        } catch {
            // The worker lives; it is the task that cannot be run.
            job.end(.failure(error))
            self.finished(lease.worker.peer, took: cmesh_monotonic_nanoseconds() - begin)
        }
    }

    /// The task has a result, and its worker as long as somebody reads the streams that it writes.
    private func awaitStreams(
        of job: TaskJob, from worker: WorkerAgent, _ lease: WorkerLease, since begin: UInt64
    ) async {
        do {
            do {
                try await worker.awaitStreams(of: job.spec.id)
            } catch  where job.work.isCancelled {
                let error = MeshError(
                    .cancelled, "The task \(job.spec.displayType), which wrote the stream, was cancelled.")
                // What tells the worker must not be cancelled itself.
                try await Task(executorPreference: self.mesh.executor) {
                    try await worker.endStreams(of: job.spec.id, because: error)
                }.value
            }
            self.finished(lease.worker.peer, took: cmesh_monotonic_nanoseconds() - begin)
        } catch {
            // Whoever reads gets an error too, and a task that has a result does not run again.
            self.lost(lease, isSilent: (error as? MeshError)?.code != .actorDied)
            self.requestLeases()
        }
    }

    private func finished(_ peer: PeerID, took: UInt64) {
        let now = cmesh_monotonic_nanoseconds()
        // While the broker is away there would be no other.
        let mayMove = (try? self.mesh.membership)?.brokerAddress != nil
        let left = self.state.withLock { state -> WorkerLease? in
            guard var lease = state.leases[peer] else { return nil }
            lease.running -= 1
            lease.depth = took < Self.shortTask * UInt64(lease.depth) ? min(lease.depth * 2, Self.maximumDepth) : 1
            lease.idleSince = now
            if self.resources != nil {
                lease.depth = 1
                // What it has others may wait for.
                if state.queue.isEmpty { lease.isLeaving = true }
            }
            if mayMove, now >= state.nextMove {
                state.nextMove = now + Self.moveTime
                lease.isLeaving = true
            }
            state.leases[peer] = lease.isLeaving && lease.running == 0 ? nil : lease
            return state.leases[peer] == nil ? lease.lease : nil
        }
        if let left {
            self.giveBack(left)
            self.requestLeases()
        } else {
            self.fill(peer)
        }
        self.sweepLater()
    }

    /// The worker has died, or cannot be reached: its tasks run elsewhere if they may.
    private func lost(_ job: TaskJob, on lease: WorkerLease, _ error: MeshError) {
        self.lost(lease, isSilent: error.code == .actorUnavailable)
        var job = job
        job.attemptsLeft = job.attemptsLeft.map { $0 - 1 }
        guard job.attemptsLeft ?? 1 > 0, !job.work.isCancelled else {
            job.end(.failure(error))
            // It may have been the last one to bring a worker to those that wait.
            return self.requestLeases()
        }
        self.enqueue(job)
    }

    private func lost(_ lease: WorkerLease, isSilent: Bool) {
        let isFirst = self.state.withLock { $0.leases.removeValue(forKey: lease.worker.peer) != nil }
        // Whatever it still does is of no use to anybody, and its slot is.
        if isFirst, isSilent { self.end(lease) }
    }

    private func end(_ lease: WorkerLease) {
        let mesh = self.mesh
        mesh.detach {
            let node = try mesh.service(NodeAgent.self, WellKnown.node, at: lease.node)
            try await node.endLease(lease.worker.peer, of: mesh.address.peer)
        }
    }

    // MARK: Giving back

    private func sweepLater() {
        let isNeeded = self.state.withLock { state in
            guard !state.isSweeping, state.queue.isEmpty else { return false }
            state.isSweeping = true
            return true
        }
        guard isNeeded else { return }
        _ = self.mesh.schedule(at: cmesh_monotonic_nanoseconds() + Self.idleTime) { [weak self] in self?.sweep() }
    }

    /// Gives back the workers that have had nothing to do for a while.
    private func sweep() {
        let now = cmesh_monotonic_nanoseconds()
        let idle = self.state.withLock { state in
            state.isSweeping = false
            let idle = state.leases.values.filter { $0.running == 0 && now >= $0.idleSince + Self.idleTime / 2 }
            for lease in idle { state.leases[lease.lease.worker.peer] = nil }
            return idle
        }
        for lease in idle { self.giveBack(lease.lease) }
        if self.state.withLock({ !$0.leases.isEmpty }) { self.sweepLater() }
    }

    func giveBack(_ lease: WorkerLease) {
        Task(executorPreference: self.mesh.executor) { [mesh] in
            let node = try mesh.service(NodeAgent.self, WellKnown.node, at: lease.node)
            try await node.returnWorker(lease.worker.peer)
        }
    }

    /// Whether there is nothing to do.
    var isIdle: Bool { self.state.withLock { $0.queue.isEmpty && $0.leases.isEmpty && $0.requested == 0 } }

    /// Gives back every worker that does nothing for this process; those that still run its tasks are ended by their
    /// nodes when it has gone.
    package func giveBackAll() async {
        let idle = self.state.withLock { state in
            let idle = state.leases.values.filter { $0.running == 0 }.map(\.lease)
            for lease in idle { state.leases[lease.worker.peer] = nil }
            return idle
        }
        for lease in idle {
            let node = try? self.mesh.service(NodeAgent.self, WellKnown.node, at: lease.node)
            try? await node?.returnWorker(lease.worker.peer)
        }
    }
}
