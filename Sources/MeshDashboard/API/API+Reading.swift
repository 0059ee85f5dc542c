import ActorMesh
import FoundationEssentials
import Logging
import MeshCore
import MeshRuntime

// What the mesh says, as the API says it.

extension DashboardAPI.Amounts {
    init(_ resources: Resources) {
        self.init(
            cpus: resources.cpus, gpus: resources.gpus, memory: resources.memory.bytes, custom: resources.custom)
    }
}

extension DashboardAPI.Overview {
    init(_ overview: MeshOverview) {
        self.init(
            date: overview.date, startDate: overview.startDate, actors: overview.actors,
            states: Dictionary(uniqueKeysWithValues: overview.states.map { ($0.key.rawValue, $0.value) }),
            types: Dictionary(overview.types.map { ($0.type, $0.count) }) { $0 + $1 }, ended: overview.ended,
            nodes: overview.nodes, resources: DashboardAPI.Amounts(overview.resources),
            used: DashboardAPI.Amounts(overview.used), sharedObjects: overview.sharedObjects,
            placementGroups: overview.placementGroups)
    }
}

extension DashboardAPI.Node {
    init(_ node: NodeInfo) {
        self.init(
            name: node.name, pid: node.processID, programs: node.programs, endpoints: node.endpoints,
            resources: DashboardAPI.Amounts(node.resources), used: DashboardAPI.Amounts(node.used),
            actors: node.actors,
            objects: node.objects.map {
                DashboardAPI.Objects(
                    count: $0.count, bytes: $0.bytes, budget: $0.budget, bytesOnDisk: $0.bytesOnDisk)
            })
    }
}

extension DashboardAPI.Actor {
    init(_ actor: ActorInfo) {
        self.init(
            id: actor.id.description, type: actor.typeName, name: actor.name, namespace: actor.namespace,
            state: actor.state.rawValue, node: actor.node, pid: actor.processID, incarnation: actor.incarnation,
            placement: actor.placement.rawValue, lifetime: actor.lifetime.rawValue,
            owner: actor.owner?.description, restarts: actor.restarts, holders: actor.holders,
            children: actor.children, waitsFor: actor.waitsFor,
            resources: actor.resources.map(DashboardAPI.Amounts.init),
            gpuIDs: actor.gpuIDs)
    }
}

extension DashboardAPI.EndedActor {
    init(_ end: ActorTermination) {
        self.init(
            id: end.actor.description, type: end.typeName, name: end.name, namespace: end.namespace,
            incarnation: end.incarnation, cause: end.cause.rawValue, message: end.message, node: end.node,
            date: end.date, signal: end.process?.signal, exitStatus: end.process?.status,
            lastOutput: end.process?.lastOutput ?? [])
    }
}

extension DashboardAPI.Actors {
    init(_ page: ActorPage, _ query: ActorQuery) {
        self.init(
            actors: page.actors.map(DashboardAPI.Actor.init), matching: page.matching, total: page.total,
            offset: query.offset, limit: query.limit)
    }
}

extension DashboardAPI.EndedActors {
    init(_ page: EndedActorPage, _ query: ActorQuery) {
        self.init(
            ended: page.terminations.map(DashboardAPI.EndedActor.init), matching: page.matching, total: page.total,
            offset: query.offset, limit: query.limit)
    }
}

extension DashboardAPI.Tasks {
    init(_ tasks: TaskListing) {
        self.init(
            workers: tasks.workers.map(DashboardAPI.Worker.init), waiting: tasks.waiting,
            silentNodes: tasks.silentNodes)
    }
}

extension DashboardAPI.Worker {
    init(_ worker: TaskListing.Worker) {
        let running = worker.running?.map {
            DashboardAPI.Task(id: $0.id.description, type: $0.typeName, startDate: $0.startDate)
        }
        self.init(
            node: worker.node, pid: worker.processID, submitter: worker.submitter.description, running: running)
    }
}

extension DashboardAPI.Record {
    init(_ record: LogRecord) {
        self.init(
            date: record.date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)), node: record.node,
            process: record.processID, source: record.source.description, sequence: record.sequence,
            kind: record.kind.rawValue, level: record.level.rawValue, text: record.text, metadata: record.metadata,
            actor: record.actor.map {
                DashboardAPI.Speaker(
                    id: $0.id.description, type: $0.typeName, name: $0.name, incarnation: $0.incarnation)
            }, task: record.task, traceID: record.traceID, dropped: record.dropped,
            driver: record.driver?.description)
    }
}

extension DashboardAPI.Statistics {
    init(_ statistics: MeshStatistics) {
        self.init(
            date: statistics.date, processes: statistics.processes.map(DashboardAPI.Process.init),
            silent: statistics.silent)
    }
}

extension DashboardAPI.Process {
    init(_ process: ProcessStatistics) {
        self.init(
            node: process.node, pid: process.processID, role: process.role.rawValue,
            processorSeconds: process.processorTime / .seconds(1), residentBytes: process.residentBytes,
            bytesSent: process.bytesSent, bytesReceived: process.bytesReceived,
            callsOutstanding: process.callsOutstanding, tasks: process.tasks,
            actors: process.actors.map(DashboardAPI.ActorStatistics.init))
    }
}

extension DashboardAPI.ActorStatistics {
    init(_ actor: MeshRuntime.ActorStatistics) {
        func seconds(_ share: Double) -> Double? { actor.latencies.quantile(share).map { $0 / .seconds(1) } }
        self.init(
            id: actor.id.description, type: actor.typeName, name: actor.name, incarnation: actor.incarnation,
            calls: actor.calls, failures: actor.failures, running: actor.running, waiting: actor.waiting,
            busySeconds: actor.busy / .seconds(1), medianSeconds: seconds(0.5), p90Seconds: seconds(0.9),
            p99Seconds: seconds(0.99))
    }
}

extension DashboardAPI.Event {
    init(_ event: MeshEvent) {
        self.init(
            kind: event.kind.rawValue, date: event.date, subject: event.subject, actor: event.actor?.description,
            message: event.message)
    }
}
