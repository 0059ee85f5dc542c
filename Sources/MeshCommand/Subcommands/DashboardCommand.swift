import ActorMesh
import ArgumentParser

struct DashboardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dashboard",
        abstract: "Shows a mesh in a browser.",
        discussion: """
            Serves pages with the nodes, the actors and their tree, tasks and objects of a mesh, and the same as JSON under \
            /api/v1. Prints "dashboard ready at ADDRESS" when it can be opened, and runs until SIGTERM or SIGINT; then it \
            ends with status 0. `mesh broker` runs one too.

            Whoever can reach it can look; to kill actors one signs in: with the content of the key file, or, in a mesh \
            without a key, with a code that stands in a file of this user. It listens on loopback addresses only. To look \
            from elsewhere, come by a tunnel.

            It is the program mesh-dashboard, which has to lie beside this one.

            Examples:
              mesh dashboard --mesh tcp://127.0.0.1:4711
              mesh dashboard --mesh tcp://mesh.example:4711 --key-file observer.key --bind 127.0.0.1:8080
              ssh -L 8265:127.0.0.1:8265 HOST     and open http://127.0.0.1:8265
            """)

    @Option(
        name: .customLong("mesh"),
        help: ArgumentHelp(
            "The broker of the mesh, such as tcp://127.0.0.1:4711 (default: MESH_ADDRESS in the environment).",
            valueName: "address"))
    var address: String?

    @Option(
        help: ArgumentHelp(
            "Where to listen: HOST:PORT of this host; port * takes a free one (default: "
                + "\(DashboardProcess.standardAddress)).",
            valueName: "address"))
    var bind: String?

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

    @OptionGroup var key: KeyOptions

    func run() async throws {
        throw become(DashboardProcess.program, "The dashboard", self.arguments)
    }

    /// The same, for that program.
    private var arguments: [String] {
        var arguments: [String] = []
        if let address { arguments += ["--mesh", address] }
        if let bind { arguments += ["--bind", bind] }
        for host in self.allowHost { arguments += ["--allow-host", host] }
        if self.behindProxy { arguments.append("--behind-proxy") }
        if self.isPrivate { arguments.append("--private") }
        if let keyFile = self.key.keyFile { arguments += ["--key-file", keyFile] }
        return arguments
    }
}
