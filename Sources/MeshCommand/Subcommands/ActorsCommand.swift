import ActorMesh
import ArgumentParser

struct ActorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "actors",
        abstract: "Lists the actors that live now.",
        discussion: """
            --format json prints one array of objects with the keys id, type, name, namespace, state, node, pid, \
            incarnation, placement, lifetime, owner (an ID), restarts, holders, waitsFor, resources (an object with \
            cpus, gpus, memory, custom; not there when nothing was asked for), gpuIDs.

            HOLDS is what an actor has of its node as long as it is there: just what it asked for. One that asked for \
            nothing has nothing; it needs a node with one CPU in all to be placed. One that is pending waits for what it \
            asked for, and WAITS FOR says where how much of that is free.

            Examples:
              mesh actors --mesh tcp://127.0.0.1:4711
              mesh actors --format json | jq '.[] | select(.node == "big") | .name'
            """)

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var output: FormatOptions

    func run() async throws {
        try await self.mesh.withMesh { mesh in
            let rows = try await self.mesh.ask(mesh) { try await mesh.actors() }.map(ActorRow.init)
            try printRows(rows, as: self.output.format, empty: "No actors live in this mesh.")
        }
    }
}

/// An actor as it is printed.
struct ActorRow: Encodable, Equatable {
    var id: String
    var type: String
    var name: String?
    var namespace: String
    var state: String
    var node: String
    var pid: Int32
    var incarnation: UInt64
    var placement: String
    var lifetime: String
    var owner: String?
    var restarts: Int
    var holders: Int
    var waitsFor: String?
    var resources: NodeRow.Amounts?
    var gpuIDs: [Int]
    /// For people.
    private var holds: String

    private enum CodingKeys: CodingKey {
        case id, type, name, namespace, state, node, pid, incarnation, placement, lifetime, owner, restarts, holders
        case waitsFor, resources, gpuIDs
    }

    init(_ actor: ActorInfo) {
        self.id = actor.id.description
        self.type = actor.typeName
        self.name = actor.name
        self.namespace = actor.namespace
        self.state = actor.state.rawValue
        self.node = actor.node
        self.pid = actor.processID
        self.incarnation = actor.incarnation
        self.placement = actor.placement.rawValue
        self.lifetime = actor.lifetime.rawValue
        self.owner = actor.owner?.description
        self.restarts = actor.restarts
        self.holders = actor.holders
        self.waitsFor = actor.waitsFor
        self.resources = actor.resources.map {
            NodeRow.Amounts(cpus: $0.cpus, gpus: $0.gpus, memory: $0.memory.bytes, custom: $0.custom)
        }
        self.gpuIDs = actor.gpuIDs
        self.holds = actor.resources.map { $0.text(gpuIDs: actor.gpuIDs) } ?? "-"
    }
}

extension ActorRow: TableRow {
    static let columns: [TextTable.Column] = [
        "NAME", "TYPE", "STATE", "NODE", .numbers("PID"), .numbers("LIFE"), "PLACEMENT", "LIFETIME", "NAMESPACE", "ID",
        "HOLDS",
        "WAITS FOR",
    ]

    var cells: [String] {
        [
            self.name ?? "-", self.type, self.state, self.node.isEmpty ? "-" : self.node,
            self.pid == 0 ? "-" : "\(self.pid)",
            "\(self.incarnation)", self.placement, self.lifetime, self.namespace, String(self.id.prefix(8)), self.holds,
            self.waitsFor ?? "-",
        ]
    }
}
