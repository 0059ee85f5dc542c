import Glibc
import MeshCluster
import MeshCore
public import MeshRuntime

/// A program whose one executable is every role of a mesh.
///
/// ```swift
/// @main struct Quickstart: MeshProgram {
///     static func run(_ mesh: Mesh) async throws { … }
/// }
/// ```
///
/// Without a subcommand it is the driver and runs `run(_:)`, on an embedded mesh, or on the one that `--mesh ADDRESS`
/// or the environment variable `MESH_ADDRESS` names. `broker` and `node` are the other roles; `--help` tells more.
public protocol MeshProgram: SendableMetatype {
    /// What the driver does. Its error ends the program with status 1.
    @concurrent static func run(_ mesh: Mesh) async throws

    /// How the program takes part, unless its command line says otherwise.
    static var configuration: MeshConfiguration { get }
}

extension MeshProgram {
    /// An embedded mesh.
    public static var configuration: MeshConfiguration { MeshConfiguration() }

    /// Runs the role that the command line names.
    @concurrent public static func main() async {
        do {
            let bootstrap = try WorkerBootstrap.take()
            var configuration = self.configuration
            let program = configuration.program ?? programName()
            if let bootstrap {
                await WorkerMain.run(bootstrap, settings: configuration.settings, program: program)
            }
            let role = try RoleArguments(CommandLine.arguments.dropFirst(), &configuration)
            switch role {
            case .driver: try await withMesh(configuration) { try await self.run($0) }
            case .broker: try await runBroker(configuration)
            case .node: try await runNode(configuration)
            case .help(let text): print(text)
            }
        } catch {
            say("\(programName()): \(error)", to: 2)
            exit(1)
        }
    }
}
