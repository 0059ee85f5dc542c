import Glibc
import Logging
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
///
/// The program ends with status 0 when its role has ended well, 1 when it failed, 64 for a command line that makes no
/// sense, and 69 when no broker answers. SIGTERM and SIGINT end a broker and a node in good order, with status 0.
public protocol MeshProgram: SendableMetatype {
    /// Called first in every process of the program, whatever its role, before it has a mesh: the place to bootstrap
    /// logging, metrics and tracing. Its error ends the process with status 1.
    ///
    /// Unless you give one it gives swift-log the ``MeshRuntime/MeshLogHandler``. One that you give takes its place: have
    /// it do so as well, unless logs are to go elsewhere.
    static func bootstrap() throws

    /// What the driver does. Its error ends the program with status 1.
    @concurrent static func run(_ mesh: Mesh) async throws

    /// How the program takes part, unless its command line says otherwise.
    static var configuration: MeshConfiguration { get }

    /// What `--help` prints before the roles: what the program does, and its own arguments. Empty unless you give one.
    static var help: String { get }

    /// What `--version` prints after the program's name: the version of ActorMesh unless you give one.
    static var version: String { get }
}

extension MeshProgram {
    /// Gives swift-log the ``MeshRuntime/MeshLogHandler``.
    public static func bootstrap() throws { LoggingSystem.bootstrap { MeshLogHandler(label: $0) } }

    /// An embedded mesh.
    public static var configuration: MeshConfiguration { MeshConfiguration() }

    /// Nothing.
    public static var help: String { "" }

    /// The version of the library.
    public static var version: String { "(ActorMesh \(actorMeshVersion))" }

    /// Runs the role that the command line names.
    @concurrent public static func main() async {
        let name = programName()
        do {
            try self.bootstrap()
            var configuration = self.configuration
            try await serveIfWorker(configuration)
            switch try RoleArguments(CommandLine.arguments.dropFirst(), &configuration) {
            case .driver: try await withMesh(configuration) { try await self.run($0) }
            case .broker: try await runBroker(configuration)
            case .node: try await runNode(configuration)
            case .help: print([self.help, RoleArguments.help(name)].filter { !$0.isEmpty }.joined(separator: "\n\n"))
            case .version: print(name, self.version)
            }
        } catch {
            say("\(name): \(error)", to: 2)
            exit(ExitStatus.of(error))
        }
    }
}

/// The version of this library.
package let actorMeshVersion = "0.1.0"
