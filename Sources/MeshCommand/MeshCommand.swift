import ActorMesh
import ArgumentParser

struct MeshCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mesh",
        abstract: "Runs and inspects an actor mesh.",
        discussion: """
            Exit status: 0 success; 1 failure; 64 the command line makes no sense; 69 no broker answers.

            Example:
              mesh broker --bind tcp://127.0.0.1:4711 &
              mesh node --mesh tcp://127.0.0.1:4711 --program ./quickstart &
              mesh nodes --mesh tcp://127.0.0.1:4711
            """,
        version: actorMeshVersion,
        subcommands: [
            BrokerCommand.self,
            NodeCommand.self,
            ActorsCommand.self,
            NodesCommand.self,
            LogsCommand.self,
            MessagesCommand.self,
            PublishCommand.self,
            TreeCommand.self,
            StatusCommand.self,
            WhyCommand.self,
            TopCommand.self,
            DashboardCommand.self,
            StopCommand.self,
            KillCommand.self,
            KeygenCommand.self,
            RevokeCommand.self,
            BenchCommand.self,
        ])
}
