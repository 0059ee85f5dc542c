import Glibc
public import MeshRuntime

/// How a program takes part in a mesh.
public struct MeshConfiguration: Sendable {
    /// The broker to join, such as `tcp://10.0.0.7:4711`; nil for an embedded mesh, which lives and dies with the
    /// program.
    public var address: String?
    /// Where this process takes in messages from other hosts, such as `tcp://10.0.0.7:*`; empty: in an embedded mesh
    /// only from this host, else at the address from which it reaches the broker. A node's workers bind the same at ports
    /// of their own, which a range bounds: `tcp://0.0.0.0:6000-6099`.
    public var bind: [String]
    /// As what others reach this process when that is not what it binds, as behind a published port or another
    /// translation of addresses: `tcp://mesh.example:4711`, several if there are several ways; port `*` is the one that
    /// was bound. Whoever connects takes the first that is in a network of its own. Empty: the addresses that it binds,
    /// and for all interfaces (`0.0.0.0`, `[::]`) those from which it reaches others. A node's workers advertise the
    /// same hosts with ports of their own.
    public var advertise: [String]
    /// The file of this process's key, which `mesh keygen` makes; nil: the one that `MESH_KEY_FILE` names. Without a key a
    /// process can be reached only from its own host, and joins only a mesh on that.
    public var keyFile: String?
    /// The name by which nodes know the program whose actors and tasks this process spawns.
    public var program: String?
    /// The executable that workers of an embedded mesh or of a node run, if it is not this program's own.
    public var workerExecutable: String?
    /// How many worker processes are kept ready, so that spawning is fast; nil: two.
    public var warmWorkers: Int?
    /// What this node has to give; nil: the CPUs, the GPUs and the memory of the machine, as far as its control group
    /// lets it have them. CPUs and memory that are left at 0 are the machine's too.
    public var resources: Resources?
    /// Whether GPUs are looked for although ``resources`` is there.
    package var detectsGPUs = false
    /// The node's name; nil: the host's name.
    public var nodeName: String?
    /// How long to wait for an answer of the broker when joining.
    public var joinTimeout: Duration
    /// Where persistent actors keep their state; nil: files of this host, see ``FileStateStore/standard(program:)``. A
    /// node's workers use the one that their own program sets here, so that every role of a program has the same.
    public var stateStore: (any StateStore)?
    /// Where a broker of this program writes down what it knows, so that it forgets nothing when it is killed and
    /// started again: `SQLiteRegistryStore` of the library MeshSQLite. Nil: in memory only. Other roles leave it alone.
    public var registryStore: (any RegistryStore)?
    /// How what workers say is shown on the output of this process: those that it started, as an embedded mesh or a node,
    /// and in a driver those that work for it, wherever they are. Nil: as `MESH_WORKER_OUTPUT` in
    /// the environment says (`prefixed`, `plain` or `none`), else prefixed.
    public var workerOutput: WorkerOutputStyle?
    /// Where a broker keeps the logs of its mesh, and where a node keeps what it could not yet bring there.
    public var logs = LogSettings()
    /// Times and limits.
    public var settings: MeshSettings

    /// An embedded mesh, or the one that `MESH_ADDRESS` names.
    public init(
        address: String? = nil, bind: [String] = [], advertise: [String] = [], keyFile: String? = nil,
        program: String? = nil,
        workerExecutable: String? = nil,
        warmWorkers: Int? = nil, resources: Resources? = nil, nodeName: String? = nil,
        joinTimeout: Duration = .seconds(5), stateStore: (any StateStore)? = nil,
        registryStore: (any RegistryStore)? = nil, settings: MeshSettings = MeshSettings()
    ) {
        self.address = address
        self.bind = bind
        self.advertise = advertise
        self.keyFile = keyFile
        self.program = program
        self.workerExecutable = workerExecutable
        self.warmWorkers = warmWorkers
        self.resources = resources
        self.nodeName = nodeName
        self.joinTimeout = joinTimeout
        self.stateStore = stateStore
        self.registryStore = registryStore
        self.settings = settings
    }

    /// Where persistent actors keep their state.
    var effectiveStateStore: any StateStore {
        self.stateStore ?? FileStateStore.standard(program: self.program ?? programName())
    }

    var effectiveWorkerOutput: WorkerOutputStyle {
        let chosen = getenv("MESH_WORKER_OUTPUT").flatMap { WorkerOutputStyle(rawValue: String(cString: $0)) }
        return self.workerOutput ?? chosen ?? .prefixed
    }

    /// The broker to join: the address, or what `MESH_ADDRESS` says; nil for an embedded mesh.
    package var broker: String? {
        let address = self.address ?? getenv("MESH_ADDRESS").map { String(cString: $0) }
        return address?.isEmpty == true ? nil : address
    }

    /// The file of the key; nil for none.
    package var effectiveKeyFile: String? {
        let file = self.keyFile ?? getenv("MESH_KEY_FILE").map { String(cString: $0) }
        return file?.isEmpty == true ? nil : file
    }
}
