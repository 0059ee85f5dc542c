import ActorMesh
import ArgumentParser

struct ActorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "actors",
        abstract: "Lists the actors that live now.",
        discussion: """
            --format json prints one array of objects with the keys id, type, name, namespace, state, node, pid, \
            incarnation, placement, lifetime, owner (an ID), restarts, holders, waitsFor.

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
    }
}

extension ActorRow: TableRow {
    static let columns: [TextTable.Column] = [
        "NAME", "TYPE", "STATE", "NODE", .numbers("PID"), .numbers("LIFE"), "PLACEMENT", "LIFETIME", "NAMESPACE", "ID",
    ]

    var cells: [String] {
        [
            self.name ?? "-", self.type, self.state, self.node, self.pid == 0 ? "-" : "\(self.pid)",
            "\(self.incarnation)", self.placement, self.lifetime, self.namespace, String(self.id.prefix(8)),
        ]
    }
}
