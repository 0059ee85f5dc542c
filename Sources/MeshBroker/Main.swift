import ActorMesh
import ArgumentParser
import Glibc
import MeshSQLite

/// The broker that keeps its registry in a file; `mesh broker --store FILE` becomes this program.
@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mesh-broker",
        abstract: "Runs a broker that writes down what it knows before it answers.",
        discussion: """
            The same as `mesh broker --store FILE`. Prints "broker ready at ADDRESS" when it can be joined, and runs until \
            SIGTERM or SIGINT; then it ends with status 0. However it ends, start it again with the same file at the same \
            address: nodes and drivers join again by themselves.

            Example:
              mesh-broker --store registry.sqlite --bind tcp://127.0.0.1:4711
            """,
        version: actorMeshVersion)

    @Option(
        help: ArgumentHelp(
            "Where to write down what it knows: a file on a disk of this host, made if there is none.",
            valueName: "file"))
    var store: String

    @Option(
        help: ArgumentHelp(
            "Where to listen; port * takes a free one, 6000-6099 one of those. May be repeated (default: "
                + "tcp://127.0.0.1:4711).",
            valueName: "address"))
    var bind: [String] = []

    @Option(
        help: ArgumentHelp(
            "As what others reach it, when that is not what it binds: tcp://HOST:PORT; port * is the bound one. May be "
                + "repeated.",
            valueName: "address"))
    var advertise: [String] = []

    @Option(
        help: ArgumentHelp(
            "The key of the mesh, made by `mesh keygen` (default: MESH_KEY_FILE in the environment).",
            valueName: "file"))
    var keyFile: String?

    @Option(
        help: ArgumentHelp(
            "Where its dashboard listens: HOST:PORT of this host, a loopback address; port * takes a free one (default: "
                + "\(DashboardProcess.standardAddress)).",
            valueName: "address"))
    var dashboard: String?

    @Flag(help: "Run no dashboard.")
    var noDashboard = false

    func validate() throws {
        do {
            for address in self.bind { try MeshAddressSyntax.checkBinding(address) }
            for address in self.advertise { try MeshAddressSyntax.checkAdvertised(address) }
        } catch {
            throw ValidationError(error.description)
        }
    }

    func run() async throws {
        // That a file may not grow is an error of the write that wanted it, not the end of the broker.
        signal(SIGXFSZ, SIG_IGN)
        do {
            try await runBroker(
                MeshConfiguration(
                    bind: self.bind, advertise: self.advertise, keyFile: self.keyFile,
                    registryStore: SQLiteRegistryStore(path: self.store)),
                dashboard: self.noDashboard ? nil : self.dashboard ?? DashboardProcess.standardAddress)
        } catch {
            say("mesh-broker: \(error)", to: 2)
            Glibc.exit(ExitStatus.of(error))
        }
    }
}
