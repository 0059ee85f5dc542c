import ActorMesh
import ArgumentParser

struct TreeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree",
        abstract: "Shows which actor spawned which.",
        discussion: """
            An actor ends with the one that spawned it. At the left stand the programs that spawned actors, by the \
            number of their process in the mesh, and the detached actors, which end with nobody.

            --format json prints the actors as `mesh actors` does; their `owner` is the actor above.

            Examples:
              mesh tree --mesh tcp://127.0.0.1:4711
              mesh tree --format json | jq '.[] | select(.owner == null)'
            """)

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var output: FormatOptions

    func run() async throws {
        try await self.mesh.withMesh { mesh in
            let actors = try await self.mesh.ask(mesh) { try await mesh.actors() }
            guard self.output.format == .text else {
                return try printRows(actors.map(ActorRow.init), as: self.output.format, empty: "")
            }
            guard !actors.isEmpty else { return print("No actors live in this mesh.") }
            for line in ActorTree(actors).lines { print(line) }
        }
    }
}

/// Actors under those that spawned them, as lines of text.
struct ActorTree {
    private var children: [UniqueID: [ActorInfo]] = [:]
    private var programs: [PeerID: [ActorInfo]] = [:]
    private var detached: [ActorInfo] = []

    init(_ actors: [ActorInfo]) {
        let known = Set(actors.map(\.id))
        for actor in actors {
            if let owner = actor.owner, known.contains(owner) {
                self.children[owner, default: []].append(actor)
            } else if let process = actor.ownerProcess {
                self.programs[process, default: []].append(actor)
            } else {
                self.detached.append(actor)
            }
        }
    }

    var lines: [String] {
        var lines: [String] = []
        for (process, actors) in self.programs.sorted(by: { $0.key.number < $1.key.number }) {
            lines.append("program \(process)")
            self.add(actors, "", to: &lines)
        }
        if !self.detached.isEmpty {
            lines.append("detached")
            self.add(self.detached, "", to: &lines)
        }
        return lines
    }

    private func add(_ actors: [ActorInfo], _ indent: String, to lines: inout [String]) {
        for (index, actor) in actors.enumerated() {
            let isLast = index == actors.count - 1
            lines.append("\(indent)\(isLast ? "└─ " : "├─ ")\(Self.describe(actor))")
            self.add(self.children[actor.id] ?? [], indent + (isLast ? "   " : "│  "), to: &lines)
        }
    }

    private static func describe(_ actor: ActorInfo) -> String {
        var text = ActorChoice.label(actor)
        if actor.state != .alive { text += " \(actor.state.rawValue)" }
        if actor.processID != 0 { text += ", process \(actor.processID) on \(actor.node)" }
        if actor.restarts > 0 { text += ", restarted \(actor.restarts) times" }
        if let reason = actor.waitsFor { text += ", waits: \(reason)" }
        return text
    }
}
