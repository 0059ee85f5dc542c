import ActorMesh
import ArgumentParser

struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Ends an actor in good order.",
        discussion: """
            It finishes the calls that it has accepted, refuses others, cleans up and ends; its children after it. It \
            is not started again, and its name is free. Ends with status 1 when there is no such actor.

            Examples:
              mesh stop Account --mesh tcp://127.0.0.1:4711
              mesh stop worker-7 --within 60
            """)

    @Argument(help: "The actor's name, or the first digits of its ID (at least four) if nobody has that name.")
    var actor: String

    @Option(help: ArgumentHelp("The namespace of the name.", valueName: "name"))
    var namespace: String = "default"

    @Option(help: ArgumentHelp("How many seconds it may take; then what still runs is cut off.", valueName: "seconds"))
    var within: Double = 30

    @OptionGroup var mesh: MeshOptions

    func validate() throws {
        guard self.within >= 0, self.within < 1e9 else {
            throw ValidationError("--within takes a number of seconds from 0 on, not \(self.within).")
        }
    }

    func run() async throws {
        try await self.mesh.withMesh { mesh in
            let actors = try await self.mesh.ask(mesh) { try await mesh.actors() }
            let chosen = try ActorChoice(self.actor, namespace: self.namespace).choose(from: actors)
            // The broker cuts it off when its time is over, and may then take as long as for any answer.
            try await mesh.withDeadline(.seconds(self.within + self.mesh.timeout)) {
                try await mesh.stop(id: chosen.id, timeout: .seconds(self.within))
            }
            print("stopped \(ActorChoice.label(chosen))")
        }
    }
}
