import ActorMesh
import ArgumentParser
import Glibc
import MeshCore
import MeshDashboard

/// The pages that show a mesh in a browser; `mesh dashboard` becomes this program.
@main
struct Main: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mesh-dashboard",
        abstract: "Shows a mesh in a browser.",
        discussion: """
            The same as `mesh dashboard`. Prints "dashboard ready at ADDRESS" when it can be opened, and runs until SIGTERM \
            or SIGINT; then it ends with status 0. While the broker is away its pages show what was known last, and say so.

            Examples:
              mesh-dashboard --mesh tcp://127.0.0.1:4711
              mesh-dashboard --mesh tcp://127.0.0.1:4711 --bind 127.0.0.1:8080
            """,
        version: actorMeshVersion)

    @Option(
        name: .customLong("mesh"),
        help: ArgumentHelp(
            "The broker of the mesh, such as tcp://127.0.0.1:4711 (default: MESH_ADDRESS in the environment).",
            valueName: "address"))
    var address: String?

    @Option(
        help: ArgumentHelp(
            "Where to listen: HOST:PORT of this host; port * takes a free one.", valueName: "address"))
    var bind = "127.0.0.1:\(DashboardConfiguration.standardPort)"

    @Option(
        help: ArgumentHelp(
            "A name by which browsers may call it, beside localhost and what it binds. May be repeated.",
            valueName: "name"))
    var allowHost: [String] = []

    @Flag(
        help: ArgumentHelp(
            "Something in front of it keeps others out: without that it listens on loopback addresses only, because it "
                + "shows everything to whoever reaches it, unencrypted."))
    var behindProxy = false

    @Flag(name: .customLong("private"), help: "One has to sign in to look as well, and not only to change something.")
    var isPrivate = false

    @Option(
        help: ArgumentHelp(
            "The key of the mesh, made by `mesh keygen` (default: MESH_KEY_FILE in the environment). An observer's is "
                + "enough to look.",
            valueName: "file"))
    var keyFile: String?

    @Option(
        help: ArgumentHelp(
            "What pages call the mesh (default: the address of --mesh).", valueName: "name", visibility: .hidden))
    var meshName: String?

    @Flag(
        help: ArgumentHelp("End when standard input does, as when whoever started it has ended.", visibility: .hidden))
    var endWithInput = false

    private var dashboard: DashboardConfiguration {
        get throws {
            var dashboard = DashboardConfiguration(
                allowedHosts: self.allowHost, isBehindProxy: self.behindProxy,
                isPrivate: self.isPrivate, meshName: self.meshName)
            try dashboard.bind(to: self.bind)
            try dashboard.check()
            return dashboard
        }
    }

    func validate() throws {
        do {
            if let address { try MeshAddressSyntax.check(address) }
            _ = try self.dashboard
        } catch let error as MeshError {
            throw ValidationError(error.message)
        } catch let error as UsageError {
            throw ValidationError(error.description)
        }
    }

    func run() async throws {
        let configuration = MeshConfiguration(address: self.address, keyFile: self.keyFile)
        guard configuration.broker != nil else {
            throw ValidationError("Which mesh? Give --mesh tcp://HOST:PORT, or set MESH_ADDRESS.")
        }
        var dashboard = try self.dashboard
        dashboard.keyFile = configuration.effectiveKeyFile
        if self.endWithInput { Self.watchInput() }
        let termination = await TerminationSignal()
        do {
            let (chosen, settings) = (configuration, dashboard)
            try await termination.run {
                try await withMesh(chosen) { mesh in
                    try await Dashboard(of: mesh, settings) { address in say("dashboard ready at \(address)", to: 1) }
                        .run()
                }
            }
        } catch {
            let hint =
                self.endWithInput
                ? "The broker goes on without; give it another place with --dashboard, or --no-dashboard." : ""
            say("mesh-dashboard: \((error as? MeshError)?.message ?? "\(error)") \(hint)", to: 2)
            Glibc.exit(ExitStatus.of(error))
        }
    }

    /// Ends this process when standard input is closed: in good order if that does not take long.
    private static func watchInput() {
        startThread(named: "lifeline") {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                guard count > 0 || (count < 0 && errno == EINTR) else { break }
            }
            kill(getpid(), SIGTERM)
            sleep(2)
            Glibc.exit(0)
        }
    }
}
