import ActorMesh
import ArgumentParser

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows what the actors of a mesh do, again and again.",
        discussion: """
            The busiest first: calls and failures each second, how many run and wait, how long calls took in the actor's \
            whole life (without waiting), and the processor time and memory of its process, which it may share with \
            others. Runs until SIGINT (Ctrl-C) or SIGTERM, and ends with status 0; with --count it ends by itself.

            On a terminal one screen is drawn over the other; elsewhere one table is printed below the other. \
            --format json prints one object per look, on a line of its own, with the keys summary and actors.

            Examples:
              mesh top --mesh tcp://127.0.0.1:4711
              mesh top --sort mailbox --interval 0.5
              mesh top --count 2 --format json | tail -1 | jq '.actors[0].label'
            """)

    enum Order: String, CaseIterable, ExpressibleByArgument {
        case calls, mailbox, latency, processor, memory

        var order: TopView.Order {
            switch self {
            case .calls: .calls
            case .mailbox: .mailbox
            case .latency: .latency
            case .processor: .processor
            case .memory: .memory
            }
        }
    }

    @Option(help: ArgumentHelp("What comes first.", valueName: "column"))
    var sort: Order = .calls

    @Option(help: ArgumentHelp("How long to wait between two looks.", valueName: "seconds"))
    var interval: Double = 2

    @Option(help: ArgumentHelp("End after so many looks; the first one knows no rates yet.", valueName: "number"))
    var count: Int?

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var output: FormatOptions

    func validate() throws {
        guard self.interval >= 0.1, self.interval <= 3600 else {
            throw ValidationError("--interval takes a number of seconds from 0.1 to 3600.")
        }
        if let count, count < 1 { throw ValidationError("--count takes a number of looks above 0.") }
    }

    func run() async throws {
        let termination = await TerminationSignal()
        try await self.mesh.withMesh { mesh in
            try await termination.run { try await self.look(at: mesh) }
        }
    }

    private func look(at mesh: Mesh) async throws {
        let screen = self.output.format == .text ? Screen.standardOutput : nil
        defer { screen?.leave() }
        var earlier: MeshStatistics?
        var looks = 0
        while !Task.isCancelled {
            let now = try await self.mesh.ask(mesh) { try await mesh.statistics() }
            let view = TopView(now, since: earlier, by: self.sort.order)
            try self.show(view, on: screen)
            earlier = now
            looks += 1
            if let count, looks >= count { return }
            try await Task.sleep(for: .seconds(self.interval))
        }
    }

    private func show(_ view: TopView, on screen: Screen?) throws {
        if self.output.format == .json {
            return say(try jsonText(Look(summary: view.summary, actors: view.rows)), to: 1)
        }
        guard let screen else {
            for line in view.lines() + [""] { say(line, to: 1) }
            return
        }
        let size = screen.size
        screen.draw(view.lines(height: size.height, width: size.width, style: .standardOutput))
    }

    private struct Look: Encodable {
        var summary: TopView.Summary
        var actors: [TopView.Row]
    }
}
