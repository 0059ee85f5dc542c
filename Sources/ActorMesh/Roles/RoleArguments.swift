import MeshCore
import MeshRuntime

/// The command line of a mesh program, as far as it chooses the role.
enum RoleArguments: Hashable {
    case driver
    case broker
    case node
    case help(String)

    /// Reads the role and its options. What a driver does not know it leaves to the program.
    init(_ arguments: some Collection<String>, _ configuration: inout MeshConfiguration) throws(MeshError) {
        let role = arguments.first
        let isRole = role == "broker" || role == "node"
        var rest = Array(isRole ? arguments.dropFirst() : arguments.dropFirst(0))[...]
        while let option = rest.popFirst() {
            let (name, inline) = Self.split(option)
            func value() throws(MeshError) -> String {
                if let inline { return inline }
                guard let next = rest.popFirst() else {
                    throw MeshError(.invalidArgument, "\(name) needs a value. See --help.")
                }
                return next
            }
            switch name {
            case "--help" where isRole: self = .help(Self.help); return
            case "--mesh": configuration.address = try value()
            case "--bind" where isRole: configuration.bind.append(try value())
            case "--name" where role == "node": configuration.nodeName = try value()
            case "--cpus" where role == "node":
                let text = try value()
                guard let cpus = Double(text), cpus > 0 else {
                    throw MeshError(.invalidArgument, "--cpus takes a number above 0, not \(text).")
                }
                var resources = configuration.resources ?? Resources()
                resources.cpus = cpus
                configuration.resources = resources
            default:
                if isRole { throw MeshError(.invalidArgument, "\(role ?? "") has no option \(name). See --help.") }
            }
        }
        self = role == "broker" ? .broker : role == "node" ? .node : .driver
    }

    private static func split(_ option: String) -> (name: String, value: String?) {
        guard option.hasPrefix("--"), let separator = option.firstIndex(of: "=") else { return (option, nil) }
        return (String(option[..<separator]), String(option[option.index(after: separator)...]))
    }

    static let help = """
        One program, every role of an actor mesh:

          PROGRAM                        the driver, on an embedded mesh
          PROGRAM --mesh ADDRESS         the driver, on a mesh that is running
          PROGRAM broker --bind ADDRESS  the broker: names, nodes, placement
          PROGRAM node --mesh ADDRESS    a node that runs this program's actors and tasks
               [--bind ADDRESS] [--name NAME] [--cpus N]

        Addresses look like tcp://127.0.0.1:4711. MESH_ADDRESS stands for --mesh.

        Example:
          PROGRAM broker --bind tcp://127.0.0.1:4711 &
          PROGRAM node --mesh tcp://127.0.0.1:4711 &
          PROGRAM --mesh tcp://127.0.0.1:4711
        """
}
