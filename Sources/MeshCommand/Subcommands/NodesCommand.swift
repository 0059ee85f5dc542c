import ActorMesh
import ArgumentParser

struct NodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes",
        abstract: "Lists the nodes of a mesh.",
        discussion: """
            --format json prints one array of objects with the keys name, pid, programs, cpus, gpus, memory (bytes), \
            custom, used (an object with cpus, gpus, memory, custom), actors, objects (an object with count, bytes, budget, \
            bytesOnDisk; null when the node did not say so in time), endpoints.

            What is used is what those have who said what they need: each has just that as long as it is there. An actor \
            that said nothing needs a node with one CPU in all to be placed, and uses none of it.

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
    var used: Amounts
    var actors: Int
    var objects: ObjectUsage?
    var endpoints: [String]

    struct Amounts: Encodable, Equatable {
        var cpus: Double
        var gpus: Double
        var memory: Int64
        var custom: [String: Double]
    }

    init(_ node: NodeInfo) {
        self.name = node.name
        self.pid = node.processID
        self.programs = node.programs
        self.cpus = node.resources.cpus
        self.gpus = node.resources.gpus
        self.memory = node.resources.memory.bytes
        self.custom = node.resources.custom
        self.used = Amounts(
            cpus: node.used.cpus, gpus: node.used.gpus, memory: node.used.memory.bytes, custom: node.used.custom)
        self.actors = node.actors
        self.objects = node.objects
        self.endpoints = node.endpoints
    }
}

extension NodeRow: TableRow {
    static let columns: [TextTable.Column] = [
        "NAME", .numbers("PID"), .numbers("CPUS"), .numbers("GPUS"), .numbers("MEMORY"), "OTHERS", .numbers("ACTORS"),
        .numbers("OBJECTS"),
        "PROGRAMS", "ADDRESS",
    ]

    var cells: [String] {
        let others = self.custom.sorted { $0.key < $1.key }.map { name, total in
            "\(name)=\(Self.share(self.used.custom[name] ?? 0, total))"
        }
        let address = self.endpoints.first { $0.hasPrefix("tcp:") } ?? self.endpoints.first
        return [
            self.name, "\(self.pid)", Self.share(self.used.cpus, self.cpus), Self.share(self.used.gpus, self.gpus),
            "\(self.used.memory == 0 ? "0" : ByteCount.bytes(self.used.memory).text)/\(ByteCount.bytes(self.memory).text)",
            self.custom.isEmpty ? "-" : others.joined(separator: " "), "\(self.actors)",
            self.objects.map(Self.share) ?? "-", self.programs.joined(separator: ","), address ?? "-",
        ]
    }

    /// What large objects take of the memory that they may take, what of them is on disk, and what is still to come from
    /// other hosts.
    private static func share(_ objects: ObjectUsage) -> String {
        func text(_ bytes: Int) -> String { bytes == 0 ? "0" : ByteCount.bytes(Int64(bytes)).text }
        let onDisk = objects.bytesOnDisk == 0 ? "" : "+\(text(objects.bytesOnDisk)) on disk"
        let toFetch = objects.bytesToFetch == 0 ? "" : " \(text(objects.bytesToFetch)) to come"
        return "\(text(objects.bytes))\(onDisk)/\(text(objects.budget))\(toFetch)"
    }

    /// What is used, and what there is.
    private static func share(_ used: Double, _ total: Double) -> String { "\(number(used))/\(number(total))" }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }
}
