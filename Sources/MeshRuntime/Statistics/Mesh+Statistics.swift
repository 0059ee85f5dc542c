import CMeshPlatform
import Glibc
package import MeshCore
import Synchronization

/// What this process counts.
extension Mesh {
    /// What this process has done, and its actors.
    ///
    /// - Parameter tasks: how many tasks run here.
    package func processStatistics(tasks: Int) -> ProcessStatistics {
        let refusals = self.transport.refusals
        let (processorTime, resident) = ProcessUsage.own
        let hosted = self.hosts.withLock { Array($0.values) }
        return ProcessStatistics(
            peer: self.address.peer, processID: self.address.processID, role: self.role, node: "",
            processorTime: processorTime, residentBytes: resident, bytesSent: self.outbox.traffic.bytesSent,
            bytesReceived: self.outbox.traffic.bytesReceived, reconnects: self.outbox.traffic.reconnects,
            messagesRejected: self.badMessages.count, connectionsCut: refusals.connectionsCut,
            keysRefused: refusals.keysRefused, callsOutstanding: self.pending.count, tasks: tasks,
            actors: hosted.filter { !$0.id.isReserved }.map(\.statistics))
    }

    private var role: ProcessStatistics.Role {
        if self.hosts(WellKnown.broker) { return .broker }
        if self.hosts(WellKnown.node) { return .node }
        return self.hosts(WellKnown.worker) ? .worker : .driver
    }

    /// Whether one of the well-known actors lives in this process.
    func hosts(_ service: UniqueID) -> Bool {
        let id = WellKnown.unique(service, in: self.address.peer)
        return self.hosts.withLock { $0[id] != nil }
    }

    /// The calls that run or wait in this process and concern an actor: those to it, the first ones that wait, and those
    /// that it has made and awaits.
    package func calls(concerning actor: UniqueID, limit: Int = 100) -> [CallInfo] {
        let now = cmesh_monotonic_nanoseconds()
        return self.hosts.withLock { Array($0.values) }.flatMap { hosted in
            hosted.calls(at: now, limit: hosted.id == actor ? limit : .max)
                .filter { hosted.id == actor || $0.callingActor == actor }
        }
    }
}

extension HostedActor {
    fileprivate var statistics: ActorStatistics {
        let (counts, running, waiting) = self.mailbox.withLock { ($0.counts, $0.running.count, $0.waiting.count) }
        return ActorStatistics(
            id: self.id, typeName: self.typeName, name: self.name, incarnation: self.incarnation, calls: counts.calls,
            failures: counts.failures, running: running, waiting: waiting,
            busy: .nanoseconds(Int64(clamping: counts.busy)), latencies: counts.latencies)
    }

    /// What runs, and then the first so many of those that wait.
    fileprivate func calls(at now: UInt64, limit: Int) -> [CallInfo] {
        let (running, waiting) = self.mailbox.withLock { mailbox in
            (mailbox.running.map { ($0.call, $0.since) }, Array(mailbox.waiting.prefix(limit)))
        }
        return running.map { self.info(of: $0, runningFor: .nanoseconds(Int64(clamping: now - min(now, $1)))) }
            + waiting.map { self.info(of: $0, runningFor: nil) }
    }

    private func info(of call: InboundCall, runningFor: Duration?) -> CallInfo {
        let caller = call.context?.chain.last?.actor
        return CallInfo(
            actor: self.id, actorLabel: self.label, method: call.target.label, runningFor: runningFor,
            caller: CallOrigin(of: call, on: self.mesh).description,
            callingActor: caller.flatMap { $0.isReserved ? nil : $0 })
    }
}

/// What the kernel knows of this process.
enum ProcessUsage {
    /// How much processor time it has used, and how much of its memory is resident.
    static var own: (processorTime: Duration, residentBytes: UInt64) {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let time = Self.duration(usage.ru_utime) + Self.duration(usage.ru_stime)
        let pages = readSmallFile("/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }
        return (time, (pages ?? 0) * UInt64(sysconf(Int32(_SC_PAGESIZE))))
    }

    private static func duration(_ time: timeval) -> Duration {
        .seconds(time.tv_sec) + .microseconds(time.tv_usec)
    }
}
