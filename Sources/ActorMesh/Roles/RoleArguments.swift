import MeshCore
import MeshRuntime

/// The command line of a mesh program, as far as it chooses the role.
package enum RoleArguments: Hashable {
    case driver
    case broker
    case node
    case help
    case version

    /// Reads the role and its options into the configuration. What a driver does not know, and everything after `--`,
    /// it leaves to the program.
    ///
    /// - Throws: a ``UsageError`` for an option that the role does not have, or one whose value makes no sense.
    package init(_ arguments: some Collection<String>, _ configuration: inout MeshConfiguration) throws(UsageError) {
        let first = arguments.first
        let role: RoleArguments = first == "broker" ? .broker : first == "node" ? .node : .driver
        var resources = ResourceArguments()
        var logs = LogArguments()
        logs.settings = configuration.logs
        var rest = Array(role == .driver ? arguments.dropFirst(0) : arguments.dropFirst())[...]
        while let argument = rest.popFirst() {
            if role == .driver, argument == "--" { break }
            let (name, inline) = Self.split(argument)
            func value() throws(UsageError) -> String {
                guard let value = inline ?? rest.popFirst(), !value.isEmpty else {
                    throw UsageError("\(name) needs a value. See --help.")
                }
                return value
            }
            switch name {
            case "--help", "-h":
                self = .help
                return
            case "--version":
                self = .version
                return
            case "--mesh" where role != .broker:
                let address = try value()
                try MeshAddressSyntax.check(address)
                configuration.address = address
            case "--key-file": configuration.keyFile = try value()
            case "--bind" where role != .driver:
                let address = try value()
                try MeshAddressSyntax.checkBinding(address)
                configuration.bind.append(address)
            case "--advertise":
                let address = try value()
                try MeshAddressSyntax.checkAdvertised(address)
                configuration.advertise.append(address)
            case "--name" where role == .node: configuration.nodeName = try value()
            case "--cpus" where role == .node: try resources.read(cpus: try value())
            case "--gpus" where role == .node: try resources.read(gpus: try value())
            case "--memory" where role == .node: try resources.read(memory: try value())
            case "--resource" where role == .node: try resources.read(resource: try value())
            case "--object-memory" where role == .node: try resources.read(objectMemory: try value())
            case "--spill" where role == .node: try resources.read(spillDirectory: try value())
            case "--log-spool" where role == .node: try logs.read(logSpool: try value())
            case "--log-spool-size" where role == .node: try logs.read(logSpoolSize: try value())
            case "--logs" where role == .broker: try logs.read(logs: try value())
            case "--logs-size" where role == .broker: try logs.read(logsSize: try value())
            case "--logs-age" where role == .broker: try logs.read(logsAge: try value())
            case "--worker-output" where role != .broker:
                let text = try value()
                guard let style = WorkerOutputStyle(rawValue: text) else {
                    throw UsageError("--worker-output takes prefixed, plain or none, not \"\(text)\".")
                }
                configuration.workerOutput = style
            default:
                guard role == .driver else { throw Self.unknown(name, in: role) }
            }
        }
        resources.apply(to: &configuration)
        configuration.logs = logs.settings
        self = role
    }

    private static func unknown(_ argument: String, in role: RoleArguments) -> UsageError {
        let options =
            role == .node
            ? "--mesh, --bind, --advertise, --key-file, --name, --cpus, --gpus, --memory, --resource, --object-memory, "
                + "--spill, --log-spool, --log-spool-size, --worker-output"
            : "--bind, --advertise, --key-file, --logs, --logs-size, --logs-age"
        return UsageError("\(role) does not know \"\(argument)\"; its options are \(options). See --help.")
    }

    private static func split(_ option: String) -> (name: String, value: String?) {
        guard option.hasPrefix("--"), let separator = option.firstIndex(of: "=") else { return (option, nil) }
        return (String(option[..<separator]), String(option[option.index(after: separator)...]))
    }

    /// What `--help` prints of the roles.
    package static func help(_ program: String) -> String {
        """
        One program, every role of an actor mesh:

          \(program)                        the driver, on an embedded mesh
          \(program) --mesh ADDRESS         the driver, on a mesh that is running
          \(program) broker --bind ADDRESS  a broker: names, nodes, placement
          \(program) node --mesh ADDRESS    a node that runs this program's actors and tasks
              [--bind ADDRESS] [--advertise ADDRESS] [--name NAME] [--cpus N] [--gpus N]
              [--memory SIZE] [--resource NAME=AMOUNT] [--object-memory SIZE] [--spill FOLDER]
              [--log-spool FOLDER] [--log-spool-size SIZE]

        Options:
          --mesh ADDRESS   the broker to join, such as tcp://127.0.0.1:4711;
                           the environment variable MESH_ADDRESS stands for it
          --bind ADDRESS   where to take in messages; port * takes a free one, 6000-6099 one of those;
                           may be repeated; a node's workers bind the same, at ports of their own
                           (default of a broker: tcp://127.0.0.1:4711, of a node: port * of the
                           address from which it reaches the broker)
          --advertise ADDRESS
                           as what others reach this process, when that is not what it binds: behind
                           a published port, by a name; port * is the bound one; may be repeated
          --key-file FILE  the key of the mesh, without which it is for this host alone; made by
                           `mesh keygen`; the environment variable MESH_KEY_FILE stands for it
          --name NAME      the node's name (default: the host's)
          --cpus N         how many CPUs the node gives (default: all that it may use)
          --gpus N         how many GPUs it gives (default: all that it may use)
          --memory SIZE    how much memory it gives, such as 32GiB (default: all that it may use)
          --resource NAME=AMOUNT
                           something else that it gives, such as license=3; may be repeated
          --object-memory SIZE
                           how much memory large objects may take (default: three tenths of it all)
          --spill FOLDER   where those go that find no room in it (default: $TMPDIR, or /var/tmp)
          --logs FOLDER    where a broker keeps the logs of its mesh (default: in memory);
                           --logs-size SIZE: how much (1GiB), --logs-age TIME: how long (7d)
          --log-spool FOLDER
                           where a node keeps what its workers say until the broker has it (default:
                           a folder of its own in $TMPDIR, or /var/tmp); --log-spool-size SIZE: how
                           much (256MiB)
          --worker-output STYLE
                           how what workers say is shown: prefixed with whose it is (the default),
                           plain, or none; the environment variable MESH_WORKER_OUTPUT stands for it
          --version        print the version and end
          --help           print this and end

        Arguments that the driver does not know, and all after --, are the program's own.

        Exit status: 0 success; 1 failure; 64 the command line makes no sense; 69 no broker answers.

        Example:
          \(program) broker --bind tcp://127.0.0.1:4711 &
          \(program) node --mesh tcp://127.0.0.1:4711 &
          \(program) --mesh tcp://127.0.0.1:4711
        """
    }
}
