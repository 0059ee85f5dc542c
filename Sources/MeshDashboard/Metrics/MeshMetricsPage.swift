import ActorMesh
import FoundationEssentials
import MeshCore

/// Everything about a mesh that Prometheus can gather, as text. A value.
struct MeshMetricsPage {
    var overview: MeshOverview
    var nodes: [NodeInfo]
    var tasks: TaskListing
    var logs: LogUsage
    var statistics: MeshStatistics
    var totals: MetricTotals

    var text: String {
        var page = PrometheusText()
        self.addMesh(to: &page)
        self.addNodes(to: &page)
        self.addLogs(to: &page)
        self.addActors(to: &page)
        self.addProcesses(to: &page)
        return page.text
    }

    private func addMesh(to page: inout PrometheusText) {
        page.begin("actormesh_actors", .gauge, "Actors, by where they are in their lives.")
        for state in ActorInfo.State.allCases {
            page.add("actormesh_actors", self.overview.states[state] ?? 0, ["state": state.rawValue])
        }
        page.begin("actormesh_actor_restarts_total", .counter, "How often actors were started again.")
        page.add("actormesh_actor_restarts_total", self.overview.restarts)
        page.begin("actormesh_broker_start_time_seconds", .gauge, "When this broker started, in seconds since 1970.")
        page.add("actormesh_broker_start_time_seconds", self.overview.startDate.timeIntervalSince1970)
        page.begin("actormesh_tasks_running", .gauge, "Tasks that run.")
        page.add("actormesh_tasks_running", self.tasks.workers.reduce(0) { $0 + ($1.running?.count ?? 0) })
        page.begin(
            "actormesh_tasks_waiting", .gauge, "Workers that are asked for and not to be had yet: tasks that wait.")
        page.add("actormesh_tasks_waiting", self.tasks.waiting)
        page.begin("actormesh_objects_shared", .gauge, "Objects that somebody refers to beside their owner.")
        page.add("actormesh_objects_shared", self.overview.sharedObjects)
        page.begin("actormesh_silent_processes", .gauge, "Processes that did not answer in time.")
        page.add("actormesh_silent_processes", self.statistics.silent.count)
    }

    private func addNodes(to page: inout PrometheusText) {
        page.begin("actormesh_nodes", .gauge, "Nodes.")
        page.add("actormesh_nodes", self.nodes.count)
        page.begin("actormesh_node_resources", .gauge, "What nodes have: CPUs, GPUs, bytes of memory, and others.")
        for node in self.nodes { Self.add(node.resources, of: node, "actormesh_node_resources", to: &page) }
        page.begin("actormesh_node_resources_used", .gauge, "What of that actors, tasks and placement groups have.")
        for node in self.nodes { Self.add(node.used, of: node, "actormesh_node_resources_used", to: &page) }
        page.begin("actormesh_object_bytes", .gauge, "What large objects take on nodes, in memory and on disk.")
        for node in self.nodes {
            guard let objects = node.objects else { continue }
            page.add("actormesh_object_bytes", objects.bytes, ["node": node.name, "place": "memory"])
            page.add("actormesh_object_bytes", objects.bytesOnDisk, ["node": node.name, "place": "disk"])
        }
        page.begin("actormesh_objects", .gauge, "Large objects that nodes keep.")
        for node in self.nodes { page.add("actormesh_objects", node.objects?.count ?? 0, ["node": node.name]) }
    }

    private static func add(
        _ resources: Resources, of node: NodeInfo, _ name: String, to page: inout PrometheusText
    ) {
        page.add(name, resources.cpus, ["node": node.name, "resource": "cpus"])
        page.add(name, resources.gpus, ["node": node.name, "resource": "gpus"])
        page.add(name, resources.memory.bytes, ["node": node.name, "resource": "memory"])
        for (custom, amount) in resources.custom.sorted(by: { $0.key < $1.key }) {
            page.add(name, amount, ["node": node.name, "resource": custom])
        }
    }

    private func addLogs(to page: inout PrometheusText) {
        page.begin("actormesh_log_records", .gauge, "Log records that are kept.")
        page.add("actormesh_log_records", self.logs.records)
        page.begin("actormesh_log_bytes", .gauge, "Bytes of the log that is kept.")
        page.add("actormesh_log_bytes", self.logs.bytes)
        page.begin(
            "actormesh_log_records_dropped_total", .counter,
            "Log records that had to make room under a limit before they could be collected.")
        page.add("actormesh_log_records_dropped_total", self.logs.dropped)
    }

    private func addActors(to page: inout PrometheusText) {
        let types = self.totals.calls.sorted { $0.key < $1.key }
        page.begin("actormesh_call_failures_total", .counter, "Calls of actors that ended with an error.")
        for (type, calls) in types { page.add("actormesh_call_failures_total", calls.failures, ["type": type]) }
        page.begin(
            "actormesh_call_duration_seconds", .histogram, "How long calls ran, without the time that they waited.")
        for (type, calls) in types {
            for (bound, count) in calls.latencies.cumulative() {
                let limit = PrometheusText.number(Double(bound) / 1e9)
                page.add("actormesh_call_duration_seconds_bucket", count, ["type": type, "le": limit])
            }
            page.add("actormesh_call_duration_seconds_bucket", calls.latencies.count, ["type": type, "le": "+Inf"])
            page.add("actormesh_call_duration_seconds_sum", calls.seconds, ["type": type])
            page.add("actormesh_call_duration_seconds_count", calls.latencies.count, ["type": type])
        }
        let now = Dictionary(grouping: self.statistics.actors.map(\.actor), by: \.typeName).sorted { $0.key < $1.key }
        page.begin("actormesh_calls_running", .gauge, "Calls that run.")
        for (type, actors) in now {
            page.add("actormesh_calls_running", actors.reduce(0) { $0 + $1.running }, ["type": type])
        }
        page.begin("actormesh_mailbox_depth", .gauge, "Calls that wait in mailboxes.")
        for (type, actors) in now {
            page.add("actormesh_mailbox_depth", actors.reduce(0) { $0 + $1.waiting }, ["type": type])
        }
    }

    private func addProcesses(to page: inout PrometheusText) {
        let now = Dictionary(grouping: self.statistics.processes) { MetricTotals.Group(node: $0.node, role: $0.role) }
        self.addGauge("actormesh_processes", "Processes.", now, to: &page) { $0.count }
        self.addGauge("actormesh_resident_bytes", "Resident memory.", now, to: &page) {
            $0.reduce(0) { $0 + Int(clamping: $1.residentBytes) }
        }
        self.addGauge("actormesh_calls_outstanding", "Calls made that have not ended.", now, to: &page) {
            $0.reduce(0) { $0 + $1.callsOutstanding }
        }
        self.addCounter("actormesh_processor_seconds_total", "Processor time.", to: &page) { $0.processorSeconds }
        self.addCounter("actormesh_sent_bytes_total", "Bytes sent to other processes.", to: &page) {
            Double($0.bytesSent)
        }
        self.addCounter("actormesh_received_bytes_total", "Bytes got from other processes.", to: &page) {
            Double($0.bytesReceived)
        }
        self.addCounter("actormesh_reconnects_total", "Links that had to begin anew.", to: &page) {
            Double($0.reconnects)
        }
        self.addCounter("actormesh_messages_rejected_total", "Messages that made no sense.", to: &page) {
            Double($0.messagesRejected)
        }
        self.addCounter("actormesh_connections_cut_total", "Connections without a key that were cut.", to: &page) {
            Double($0.connectionsCut)
        }
        self.addCounter("actormesh_keys_refused_total", "Connections with a wrong or revoked key.", to: &page) {
            Double($0.keysRefused)
        }
    }

    private func addGauge(
        _ name: String, _ help: String, _ groups: [MetricTotals.Group: [ProcessStatistics]],
        to page: inout PrometheusText, _ value: ([ProcessStatistics]) -> Int
    ) {
        page.begin(name, .gauge, help)
        for (group, processes) in groups.sorted(by: { $0.key.order < $1.key.order }) {
            page.add(name, value(processes), ["node": group.node, "role": group.role.rawValue])
        }
    }

    private func addCounter(
        _ name: String, _ help: String, to page: inout PrometheusText, _ value: (MetricTotals.Traffic) -> Double
    ) {
        page.begin(name, .counter, help)
        for (group, traffic) in self.totals.traffic.sorted(by: { $0.key.order < $1.key.order }) {
            page.add(name, value(traffic), ["node": group.node, "role": group.role.rawValue])
        }
    }
}

extension MetricTotals.Group {
    fileprivate var order: (String, String) { (self.node, self.role.rawValue) }
}
