import ActorMesh
import ArgumentParser
import Glibc
import Logging
import MeshBench

/// Where the process begins: as a worker when a node started it, as a command line otherwise.
@main
enum Main {
    static func main() async {
        LoggingSystem.bootstrap { MeshLogHandler(label: $0) }
        do {
            try await serveIfWorker(MeshConfiguration())
            await Bench.takeOver()
            var command = try await MeshCommand.asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as UsageError {
            MeshCommand.exit(withError: ValidationError(error.description))
        } catch let error as MeshError {
            say("mesh: \(error)", to: 2)
            exit(ExitStatus.of(error))
        } catch {
            MeshCommand.exit(withError: error)
        }
    }
}
