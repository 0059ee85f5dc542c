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
              mesh node --cpus 8 --gpus 2 --memory 32GiB --resource license=3 --program /opt/app
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

    @Option(help: ArgumentHelp("How many CPUs it gives (default: all that it may use).", valueName: "n"))
    var cpus: String?

    @Option(
        help: ArgumentHelp("How many GPUs it gives (default: all that the driver or its files name).", valueName: "n"))
    var gpus: String?

    @Option(
        help: ArgumentHelp(
            "How much memory it gives, such as 512MiB or 32GiB (default: all it may use).", valueName: "size"))
    var memory: String?

    @Option(
        help: ArgumentHelp(
            "Something else that it gives, such as license=3. May be repeated.", valueName: "name=amount"))
    var resource: [String] = []

    @Option(
        help: ArgumentHelp(
            "How much memory large objects may take, such as 4GiB (default: three tenths of all that it may use).",
            valueName: "size"))
    var objectMemory: String?

    @Option(
        help: ArgumentHelp(
            "Where those go that find no room in it (default: $TMPDIR, or /var/tmp).", valueName: "folder"))
    var spill: String?

    @Option(
        help: ArgumentHelp(
            "Where it keeps what its workers say until the broker has it (default: a folder of its own in $TMPDIR, or "
                + "/var/tmp).", valueName: "folder"))
    var logSpool: String?

    @Option(
        help: ArgumentHelp(
            "How much of that, such as 1GiB (default: 256MiB). The oldest make room, and a record says so.",
            valueName: "size"))
    var logSpoolSize: String?

    func validate() throws {
        _ = try self.logArguments()
        for address in self.bind {
            try checked { () throws(UsageError) in try MeshAddressSyntax.checkBinding(address) }
        }
        _ = try self.resources()
        if self.name?.isEmpty == true {
            throw ValidationError("--name must not be empty; leave it out for the host's.")
        }
        if let program, !isExecutable(program) {
            throw ValidationError("The program \(program) cannot be run. Give the path of an executable.")
        }
    }

    private func logArguments() throws -> LogArguments {
        try checked { () throws(UsageError) in
            var arguments = LogArguments()
            if let folder = self.logSpool { try arguments.read(logSpool: folder) }
            if let size = self.logSpoolSize { try arguments.read(logSpoolSize: size) }
            return arguments
        }
    }

    private func resources() throws -> ResourceArguments {
        try checked { () throws(UsageError) in
            var resources = ResourceArguments()
            if let cpus = self.cpus { try resources.read(cpus: cpus) }
            if let gpus = self.gpus { try resources.read(gpus: gpus) }
            if let memory = self.memory { try resources.read(memory: memory) }
            for text in self.resource { try resources.read(resource: text) }
            if let size = self.objectMemory { try resources.read(objectMemory: size) }
            if let folder = self.spill { try resources.read(spillDirectory: folder) }
            return resources
        }
    }

    func run() async throws {
        let name = self.program.flatMap { $0.split(separator: "/").last.map(String.init) }
        var configuration = MeshConfiguration(
            address: self.mesh.address, bind: self.bind, advertise: self.mesh.advertise,
            keyFile: self.mesh.key.keyFile, program: name,
            workerExecutable: self.program,
            nodeName: self.name,
            joinTimeout: .seconds(self.mesh.timeout))
        try self.resources().apply(to: &configuration)
        configuration.logs = try self.logArguments().settings
        try await runNode(configuration)
    }
}
