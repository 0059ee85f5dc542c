import ActorMesh
import ArgumentParser
import Glibc

struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Runs a node, which holds actors and runs tasks in worker processes.",
        discussion: """
            Its workers run the executable that --program names, so it has that program's actors and tasks; the \
            program is known to the mesh by the file's name. Without --program it has only the library's own actors, \
            as the program "mesh".

            Prints a line when it has joined, and runs until SIGTERM or SIGINT; then its workers and it end, with \
            status 0. When it is killed its workers end too.

            Examples:
              mesh node --mesh tcp://127.0.0.1:4711 --program ./quickstart
              MESH_ADDRESS=tcp://10.0.0.7:4711 mesh node --cpus 16 --program /opt/app
              mesh node --mesh tcp://mesh.example:4711 --bind 'tcp://0.0.0.0:6000-6099' \\
                --advertise 'tcp://here.example:*' --key-file mesh.key
            """)

    @OptionGroup var mesh: MeshOptions

    @Option(help: ArgumentHelp("The executable whose actors and tasks the node runs.", valueName: "path"))
    var program: String?

    @Option(
        help: ArgumentHelp(
            "Where to take in messages; port * takes a free one, 6000-6099 one of those. Its workers bind the same, at "
                + "ports of their own. May be repeated (default: the address from which the broker is reached).",
            valueName: "address"))
    var bind: [String] = []

    @Option(help: ArgumentHelp("The node's name (default: the host's).", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("How many CPUs it gives (default: all of the machine).", valueName: "n"))
    var cpus: Double?

    func validate() throws {
        for address in self.bind {
            try checked { () throws(UsageError) in try MeshAddressSyntax.checkBinding(address) }
        }
        if let cpus, !(cpus > 0 && cpus.isFinite) { throw ValidationError("--cpus takes a number above 0.") }
        if self.name?.isEmpty == true {
            throw ValidationError("--name must not be empty; leave it out for the host's.")
        }
        if let program, !isExecutable(program) {
            throw ValidationError("The program \(program) cannot be run. Give the path of an executable.")
        }
    }

    func run() async throws {
        let name = self.program.flatMap { $0.split(separator: "/").last.map(String.init) }
        try await runNode(
            MeshConfiguration(
                address: self.mesh.address, bind: self.bind, advertise: self.mesh.advertise,
                keyFile: self.mesh.key.keyFile, program: name,
                workerExecutable: self.program,
                resources: self.cpus.map { Resources(cpus: $0) }, nodeName: self.name,
                joinTimeout: .seconds(self.mesh.timeout)))
    }
}
