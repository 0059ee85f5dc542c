import ActorMesh
import ArgumentParser

struct NodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes",
        abstract: "Lists the nodes of a mesh.",
        discussion: """
            --format json prints one array of objects with the keys name, pid, programs, cpus, gpus, memory (bytes), \
            custom, actors, endpoints.

            Examples:
              mesh nodes --mesh tcp://127.0.0.1:4711
              mesh nodes --format json | jq '.[].programs'
            """)

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var output: FormatOptions

    func run() async throws {
        try await self.mesh.withMesh { mesh in
            let rows = try await self.mesh.ask(mesh) { try await mesh.nodes() }.map(NodeRow.init)
            try printRows(
                rows, as: self.output.format, empty: "This mesh has no nodes. Start one with: mesh node --program PATH")
        }
    }
}

/// A node as it is printed.
struct NodeRow: Encodable, Equatable {
    var name: String
    var pid: Int32
    var programs: [String]
    var cpus: Double
    var gpus: Double
    var memory: Int64
    var custom: [String: Double]
    var actors: Int
    var endpoints: [String]

    init(_ node: NodeInfo) {
        self.name = node.name
        self.pid = node.processID
        self.programs = node.programs
        self.cpus = node.resources.cpus
        self.gpus = node.resources.gpus
        self.memory = node.resources.memory.bytes
        self.custom = node.resources.custom
        self.actors = node.actors
        self.endpoints = node.endpoints
    }
}

extension NodeRow: TableRow {
    static let columns: [TextTable.Column] = [
        "NAME", .numbers("PID"), .numbers("CPUS"), .numbers("ACTORS"), "PROGRAMS", "ADDRESS",
    ]

    var cells: [String] {
        let cpus = self.cpus == self.cpus.rounded() ? "\(Int(self.cpus))" : "\(self.cpus)"
        let address = self.endpoints.first { $0.hasPrefix("tcp:") } ?? self.endpoints.first
        return [
            self.name, "\(self.pid)", cpus, "\(self.actors)", self.programs.joined(separator: ","), address ?? "-",
        ]
    }
}
