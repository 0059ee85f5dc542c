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

            Examples:
              mesh broker
              mesh broker --bind 'tcp://127.0.0.1:*'
              mesh broker --store registry.sqlite
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

    func validate() throws {
        for address in self.bind {
            try checked { () throws(UsageError) in try MeshAddressSyntax.checkBinding(address) }
        }
        for address in self.advertise {
            try checked { () throws(UsageError) in try MeshAddressSyntax.checkAdvertised(address) }
        }
        try self.checkStore()
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
            throw Self.become(
                ["--store", store] + key + self.bind.flatMap { ["--bind", $0] }
                    + self.advertise.flatMap { ["--advertise", $0] })
        }
        try await runBroker(MeshConfiguration(bind: self.bind, advertise: self.advertise, keyFile: self.key.keyFile))
    }

    /// Goes on as the broker that has a store. Returns only when that fails.
    private static func become(_ arguments: [String]) -> MeshError {
        let path = "\(programFolder())/mesh-broker"
        var command = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for argument in command { free(argument) } }
        execv(path, &command)
        return MeshError(
            .systemFailure,
            "A broker with --store is the program \(path), which cannot be run: "
                + "\(String(cString: strerror(errno))). Put it there; `swift build` makes it.")
    }
}
