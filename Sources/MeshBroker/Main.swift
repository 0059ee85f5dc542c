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

    @Option(
        help: ArgumentHelp(
            "The folder in which it keeps the logs of the mesh, made if there is none (default: STORE-logs).",
            valueName: "folder"))
    var logs: String?

    @Option(
        help: ArgumentHelp(
            "How much of them it keeps, such as 4GiB (default: 1GiB in a folder, 32MiB in memory). The oldest make room.",
            valueName: "size"))
    var logsSize: String?

    @Option(help: ArgumentHelp("How long it keeps them, such as 12h or 7d (default: 7d).", valueName: "time"))
    var logsAge: String?

    private func logArguments() throws(UsageError) -> LogArguments {
        var arguments = LogArguments()
        try arguments.read(logs: self.logs ?? "\(self.store)-logs")
        if let size = self.logsSize { try arguments.read(logsSize: size) }
        if let age = self.logsAge { try arguments.read(logsAge: age) }
        return arguments
    }

    func validate() throws {
        do {
            _ = try self.logArguments()
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
            var configuration = MeshConfiguration(
                bind: self.bind, advertise: self.advertise, keyFile: self.keyFile,
                registryStore: SQLiteRegistryStore(path: self.store))
            configuration.logs = try self.logArguments().settings
            try await runBroker(
                configuration, dashboard: self.noDashboard ? nil : self.dashboard ?? DashboardProcess.standardAddress)
        } catch {
            say("mesh-broker: \(error)", to: 2)
            Glibc.exit(ExitStatus.of(error))
        }
    }
}
