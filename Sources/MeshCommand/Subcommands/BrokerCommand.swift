import ActorMesh
import ArgumentParser

struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Runs a broker, which knows the names, actors and nodes of a mesh.",
        discussion: """
            Prints "broker ready at ADDRESS" when it can be joined, and runs until SIGTERM or SIGINT; then it ends with \
            status 0. While it is away, calls between processes that know each other go on; they join again when a \
            broker is back at the same address.

            Examples:
              mesh broker
              mesh broker --bind 'tcp://127.0.0.1:*'
            """)

    @Option(
        help: ArgumentHelp(
            "Where to listen; port * takes a free one. May be repeated (default: tcp://127.0.0.1:4711).",
            valueName: "address"))
    var bind: [String] = []

    func validate() throws {
        for address in self.bind {
            try checked { () throws(UsageError) in try MeshAddressSyntax.checkBinding(address) }
        }
    }

    func run() async throws {
        try await runBroker(MeshConfiguration(bind: self.bind))
    }
}
