import ActorMesh
import ArgumentParser

struct KillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill",
        abstract: "Ends an actor.",
        discussion: """
            Its process ends at once if it has one of its own; calls that wait or run there fail. It is not started \
            again, and its name is free, unless --restart asks for another life and its options allow one. Use \
            `mesh stop` to let it finish what it has accepted. Ends with status 1 when there is no such actor.

            Examples:
              mesh kill Account --mesh tcp://127.0.0.1:4711
              mesh kill worker-7 --namespace staging
              mesh kill 1fcc75b5 --restart
            """)

    @Argument(help: "The actor's name, or the first digits of its ID (at least four) if nobody has that name.")
    var actor: String

    @Option(help: ArgumentHelp("The namespace of the name.", valueName: "name"))
    var namespace: String = "default"

    @Flag(help: "Start it again, which counts against its maxRestarts.")
    var restart = false

    @OptionGroup var mesh: MeshOptions

    func run() async throws {
        try await self.mesh.withMesh { mesh in
            let actors = try await self.mesh.ask(mesh) { try await mesh.actors() }
            let chosen = try ActorChoice(self.actor, namespace: self.namespace).choose(from: actors)
            try await self.mesh.ask(mesh) { try await mesh.kill(id: chosen.id, restart: self.restart) }
            print("killed \(ActorChoice.label(chosen))")
        }
    }
}
