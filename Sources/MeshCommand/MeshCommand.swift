import ArgumentParser
import MeshBench

@main
struct MeshCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mesh", abstract: "Runs and inspects an actor mesh.", subcommands: [BenchCommand.self])

    static func main() async {
        // The processes that a benchmark starts run this program too.
        await Bench.takeOver()
        await self.main(nil)
    }
}
