import ActorMesh
import ArgumentParser
import Glibc
import MeshCore

struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Runs a broker, which knows the names, actors and nodes of a mesh.",
        discussion: """
            Prints "broker ready at ADDRESS" when it can be joined, and runs until SIGTERM or SIGINT; then it ends with \
            status 0. While it is away, calls between processes that know each other go on; they join again when a \
            broker is back at the same address within the lease time, or within ten minutes when it has a store. \
            Nodes that wait longer end, with their actors.

            With --store it writes everything down before it answers, and forgets nothing when it is killed and started \
            again with the same file: names, actors and how often they were restarted, and how actors ended. Such a \
            broker is the program mesh-broker, which has to lie beside this one.

            Beside it runs a dashboard for a browser on this host, at http://127.0.0.1:8265; see `mesh help dashboard`. It \
            ends with the broker. Where it cannot run, one line on standard error says why, and the broker goes on.

            It also keeps what the workers of the mesh say, for `mesh logs`: with --logs in a folder, where it survives \
            whatever ends the broker.

            Examples:
              mesh broker
              mesh broker --bind 'tcp://127.0.0.1:*'
              mesh broker --store registry.sqlite
              mesh broker --dashboard 127.0.0.1:8080
              mesh broker --no-dashboard
              mesh broker --logs logs --logs-size 10GiB --logs-age 30d
              mesh broker --bind 'tcp://0.0.0.0:4711' --key-file mesh.key
              mesh broker --bind 'tcp://0.0.0.0:4711' --advertise tcp://mesh.example:4711 --key-file mesh.key
            """)

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

    @OptionGroup var key: KeyOptions

    @Option(
        help: ArgumentHelp(
            "Where to write down what it knows: a file on a disk of this host, made if there is none (default: nowhere).",
            valueName: "file"))
    var store: String?

    @OptionGroup var dashboard: BrokerDashboardOptions

    @Option(
        help: ArgumentHelp(
            "The folder in which it keeps the logs of the mesh, made if there is none (default: beside the store, else in memory).",
            valueName: "folder"))
    var logs: String?

    @Option(
        help: ArgumentHelp(
            "How much of them it keeps, such as 4GiB (default: 1GiB in a folder, 32MiB in memory). The oldest make room.",
            valueName: "size"))
    var logsSize: String?

    @Option(help: ArgumentHelp("How long it keeps them, such as 12h or 7d (default: 7d).", valueName: "time"))
    var logsAge: String?

    func validate() throws {
        for address in self.bind {
            try checked { () throws(UsageError) in try MeshAddressSyntax.checkBinding(address) }
        }
        for address in self.advertise {
            try checked { () throws(UsageError) in try MeshAddressSyntax.checkAdvertised(address) }
        }
        try self.checkStore()
        _ = try self.logArguments()
    }

    private func logArguments() throws -> LogArguments {
        try checked { () throws(UsageError) in
            var arguments = LogArguments()
            if let folder = self.logs { try arguments.read(logs: folder) }
            if let size = self.logsSize { try arguments.read(logsSize: size) }
            if let age = self.logsAge { try arguments.read(logsAge: age) }
            return arguments
        }
    }

    private func checkStore() throws {
        guard let store else { return }
        guard !store.isEmpty, !store.hasPrefix(":"), !store.hasPrefix("file:") else {
            throw ValidationError("--store takes the path of a file, not \"\(store)\".")
        }
    }

    func run() async throws {
        if let store {
            let key = self.key.keyFile.map { ["--key-file", $0] } ?? []
            let logs = try self.logArguments()
            throw become(
                "mesh-broker", "A broker with --store",
                ["--store", store] + key + self.dashboard.arguments + self.bind.flatMap { ["--bind", $0] }
                    + self.advertise.flatMap { ["--advertise", $0] } + logs.arguments)
        }
        var configuration = MeshConfiguration(
            bind: self.bind, advertise: self.advertise, keyFile: self.key.keyFile)
        configuration.logs = try self.logArguments().settings
        try await runBroker(configuration, dashboard: self.dashboard.address)
    }
}

/// What a broker is told of its dashboard.
struct BrokerDashboardOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where its dashboard listens: HOST:PORT of this host, a loopback address; port * takes a free one (default: "
                + "\(DashboardProcess.standardAddress)).",
            valueName: "address"))
    var dashboard: String?

    @Flag(help: "Run no dashboard.")
    var noDashboard = false

    func validate() throws {
        guard !self.noDashboard || self.dashboard == nil else {
            throw ValidationError("--dashboard and --no-dashboard exclude each other.")
        }
    }

    /// Where the dashboard is to listen; nil for none.
    var address: String? { self.noDashboard ? nil : self.dashboard ?? DashboardProcess.standardAddress }

    /// The same, for another program.
    var arguments: [String] { self.address.map { ["--dashboard", $0] } ?? ["--no-dashboard"] }
}
