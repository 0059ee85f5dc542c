import ActorMesh
import ArgumentParser

struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Sends a message to a MessageActor.",
        discussion: """
            Returns when the actor has it. `mesh messages NAME --follow` shows what arrives.

            Examples:
              mesh publish results "all done" --mesh tcp://127.0.0.1:4711
              mesh publish results "$(date)" --namespace staging
              mesh publish results -- "-5 degrees"
            """)

    @Argument(help: "The name of the MessageActor.")
    var name: String

    @Argument(help: "What to say.")
    var text: String

    @Option(help: ArgumentHelp("The namespace of the name.", valueName: "name"))
    var namespace: String = "default"

    @OptionGroup var mesh: MeshOptions

    func run() async throws {
        try await self.mesh.withMesh { mesh in
            try await self.mesh.ask(mesh) {
                try await mesh.find(MessageActor.self, named: self.name, namespace: self.namespace).add(self.text)
            }
        }
    }
}
