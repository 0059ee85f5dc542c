import ActorMesh
import ArgumentParser

struct MessagesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "messages",
        abstract: "Prints the messages that a MessageActor has collected.",
        discussion: """
            They stay there. With --follow it goes on with those that arrive, until SIGINT or SIGTERM (status 0), or \
            until the actor ends (status 1). With --retry as well it waits until there is such a mesh and such an actor, and \
            goes on when they come back, until it is told to end; what it waits for is on standard error.

            --format json prints one object per line with the keys sequence, date, sender, text.

            Examples:
              mesh messages results --mesh tcp://127.0.0.1:4711
              mesh messages results --follow --format json | jq -r .text
              mesh messages results --follow --retry --mesh tcp://broker:4711
            """)

    @Argument(help: "The name of the MessageActor.")
    var name: String

    @Flag(help: "Go on with the messages that arrive.")
    var follow = false

    @Flag(help: "With --follow: wait for the mesh and the actor, and go on when they come back.")
    var retry = false

    @Option(help: ArgumentHelp("The namespace of the name.", valueName: "name"))
    var namespace: String = "default"

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var output: FormatOptions

    func validate() throws {
        if self.retry, !self.follow { throw ValidationError("--retry goes with --follow.") }
    }

    func run() async throws {
        let termination = self.follow ? await TerminationSignal() : nil
        if self.retry, let termination {
            let follower = MessageFollower(name: self.name, namespace: self.namespace, mesh: self.mesh)
            return try await termination.run { try await follower.run(as: self.output.format) }
        }
        try await self.mesh.withMesh { mesh in
            let messages = try await self.mesh.ask(mesh) {
                try await mesh.find(MessageActor.self, named: self.name, namespace: self.namespace)
            }
            let format = self.output.format
            if let termination {
                try await termination.run { try await Self.follow(messages, as: format) }
            } else {
                var printer = MessagePrinter(format)
                for message in try await self.mesh.ask(mesh, { try await messages.messages() }) {
                    try printer.print(message)
                }
            }
        }
    }

    private static func follow(_ messages: MessageActor, as format: FormatOptions.Format) async throws {
        var printer = MessagePrinter(format)
        for try await message in try await messages.stream() { try printer.print(message) }
    }
}
