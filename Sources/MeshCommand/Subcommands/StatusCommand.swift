import ActorMesh
import ArgumentParser
import FoundationEssentials

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Says in a few lines whether a mesh is well.",
        discussion: """
            Nodes and what of their resources is used, actors by their state, tasks, objects, and what every process has \
            used and refused. Processes that do not answer within a second are named. Exit status 0 when everybody \
            answers, 1 when somebody does not.

            --format json prints one object with the keys broker, nodes, cpus, gpus, memory, used, actors (by state), ended, \
            tasks, tasksWaiting, objects, placementGroups, processes, processorSeconds, residentBytes, callsOutstanding, \
            messagesRejected, connectionsCut, keysRefused, reconnects, silent.

            Examples:
              mesh status --mesh tcp://127.0.0.1:4711
              mesh status --format json | jq '.actors.alive'
            """)

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var output: FormatOptions

    func run() async throws {
        try await self.mesh.withMesh { mesh in
            let row = try await self.mesh.ask(mesh) {
                async let overview = mesh.overview()
                async let tasks = mesh.tasks()
                let statistics = try await mesh.statistics()
                return StatusRow(try await overview, try await tasks, statistics)
            }
            switch self.output.format {
            case .json: say(try jsonText(row, isPretty: true), to: 1)
            case .text: for line in row.lines(style: .standardOutput) { say(line, to: 1) }
            }
            if !row.silent.isEmpty { throw ExitCode(1) }
        }
    }
}

/// What a mesh is like, as it is printed.
struct StatusRow: Encodable {
    var broker: String
    var nodes: Int
    var cpus: Double
    var gpus: Double
    var memory: Int64
    var used: NodeRow.Amounts
    var actors: [String: Int]
    var ended: Int
    var tasks: Int
    var tasksWaiting: Int
    var objects: Int
    var placementGroups: Int
    var processes: Int
    var processorSeconds: Double
    var residentBytes: UInt64
    var callsOutstanding: Int
    var messagesRejected: UInt64
    var connectionsCut: UInt64
    var keysRefused: UInt64
    var reconnects: UInt64
    var silent: [String]

    init(_ overview: MeshOverview, _ tasks: TaskListing, _ statistics: MeshStatistics) {
        func sum(_ value: (ProcessStatistics) -> UInt64) -> UInt64 {
            statistics.processes.reduce(0) { $0 + value($1) }
        }
        self.broker = overview.startDate.formatted(.iso8601)
        self.nodes = overview.nodes
        self.cpus = overview.resources.cpus
        self.gpus = overview.resources.gpus
        self.memory = overview.resources.memory.bytes
        self.used = NodeRow.Amounts(
            cpus: overview.used.cpus, gpus: overview.used.gpus, memory: overview.used.memory.bytes,
            custom: overview.used.custom)
        self.actors = Dictionary(
            overview.states.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: { first, _ in first })
        self.ended = overview.ended
        self.tasks = tasks.workers.reduce(0) { $0 + ($1.running?.count ?? 0) }
        self.tasksWaiting = tasks.waiting
        self.objects = overview.sharedObjects
        self.placementGroups = overview.placementGroups
        self.processes = statistics.processes.count
        self.processorSeconds = statistics.processes.reduce(0) { $0 + $1.processorTime / .seconds(1) }
        self.residentBytes = sum(\.residentBytes)
        self.callsOutstanding = statistics.processes.reduce(0) { $0 + $1.callsOutstanding }
        self.messagesRejected = sum(\.messagesRejected)
        self.connectionsCut = sum(\.connectionsCut)
        self.keysRefused = sum(\.keysRefused)
        self.reconnects = sum(\.reconnects)
        self.silent = (statistics.silent + tasks.silentNodes.map { "node \($0)" }).sorted()
    }

    func lines(style: TerminalStyle = .plain) -> [String] {
        let states = self.actors.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        var rows: [(String, String)] = [
            ("broker", "since \(self.broker)"),
            (
                "nodes",
                "\(self.nodes); \(amount(self.used.cpus)) of \(amount(self.cpus)) CPUs, "
                    + "\(amount(self.used.gpus)) of \(amount(self.gpus)) GPUs used"
            ),
            ("actors", (states.isEmpty ? "none" : states) + "; \(self.ended) ended"),
            ("tasks", "\(self.tasks) running, \(self.tasksWaiting) waiting for a worker"),
            ("objects", "\(self.objects) shared"),
            (
                "processes",
                "\(self.processes), \(threeDigits(Double(self.residentBytes) / Double(1 << 20))) MiB, "
                    + "\(threeDigits(self.processorSeconds)) s of processor time, \(self.callsOutstanding) calls outstanding"
            ),
            (
                "network",
                "\(count(Int(self.reconnects), "reconnect")), \(self.messagesRejected) messages rejected, "
                    + "\(self.connectionsCut + self.keysRefused) connections refused"
            ),
        ]
        if !self.silent.isEmpty { rows.append(("silent", self.silent.joined(separator: ", "))) }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { title, text in
            "\(style.dim(title))\(String(repeating: " ", count: width - title.count))  \(printable(text))"
        }
    }
}

/// A number of CPUs or GPUs: without decimals when it has none.
private func amount(_ value: Double) -> String { value == value.rounded() ? "\(Int(value))" : "\(value)" }
