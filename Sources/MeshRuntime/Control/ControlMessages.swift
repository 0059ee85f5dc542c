package import FoundationEssentials
package import MeshCore

/// Everything that is needed to make an actor.
package struct ActorSpec: Hashable, Sendable, Codable {
    package var id: UniqueID
    /// The mangled name, by which a process of the same program finds the type.
    package var typeName: String
    package var displayType: String
    package var program: String
    /// The encoded arguments of the initialiser; empty for none.
    package var arguments: EncodedValue
    @Boxed package var options: ActorOptions
    package var window: Int
    /// Whose end it shares, unless it is detached.
    package var owner: ActorOwner
    package var incarnation: UInt64
    /// Whether its type decides about its children when they die.
    package var isSupervisor: Bool
    /// Whether its owner has a supervision that restarts it.
    package var isSupervised = false
    /// The GPUs that it has on the node where it is; nil for none.
    package var gpuIDs: [Int]?

    package init(
        id: UniqueID, typeName: String, displayType: String, program: String, arguments: EncodedValue,
        options: ActorOptions, window: Int, owner: ActorOwner, incarnation: UInt64 = 1, isSupervisor: Bool = false
    ) {
        self.id = id
        self.typeName = typeName
        self.displayType = displayType
        self.program = program
        self.arguments = arguments
        self.options = options
        self.window = window
        self.owner = owner
        self.incarnation = incarnation
        self.isSupervisor = isSupervisor
    }

    package var label: String {
        let type = shortName(ofType: self.displayType)
        return self.options.name.map { "\(type) \"\($0)\"" } ?? type
    }

    /// Whether its type is one of this library's, which every program has.
    package var isOfLibrary: Bool { self.displayType.hasPrefix("ActorMesh.") }

    package func handle(at address: PeerAddress) -> HandleFields {
        HandleFields(
            id: self.id, typeName: self.displayType, name: self.options.name, window: self.window,
            location: ActorLocation(address: address, incarnation: self.incarnation),
            retries: self.options.maxTaskRetries, mayRestart: self.mayRestart)
    }

    /// Whether it may be started again, by itself or by its owner.
    package var mayRestart: Bool { self.options.maxRestarts != 0 || self.isSupervised }
}

/// Whose end an actor shares: the actor that spawned it, in the life in which it did, or the program.
package struct ActorOwner: Hashable, Sendable, Codable {
    /// The process that spawned it, or in which the actor lives that did.
    package var process: PeerID
    /// The actor; nil for a program.
    package var actor: UniqueID?
    /// The life of that actor.
    package var incarnation: UInt64
    /// The program at the end of the chain of owners, if an actor spawned and knew it.
    package var driver: PeerID?

    /// The program at the end of the chain of owners; nil when that is not known.
    package var root: PeerID? { self.driver ?? (self.actor == nil ? self.process : nil) }

    package init(process: PeerID, actor: UniqueID? = nil, incarnation: UInt64 = 0, driver: PeerID? = nil) {
        self.driver = driver
        self.process = process
        self.actor = actor
        self.incarnation = incarnation
    }
}

/// Everything that is needed to run a task.
package struct TaskSpec: Hashable, Sendable, Codable {
    package var id: UniqueID
    package var typeName: String
    package var displayType: String
    /// The encoded task.
    package var task: EncodedValue
    /// Who submitted it: the actors that it spawns are its children.
    package var owner: ActorOwner
    /// Trace context, as the submitter's propagator writes it.
    package var trace: [String: String]

    package init(
        id: UniqueID, typeName: String, displayType: String, task: EncodedValue, owner: ActorOwner,
        trace: [String: String] = [:]
    ) {
        self.owner = owner
        self.trace = trace
        self.id = id
        self.typeName = typeName
        self.displayType = displayType
        self.task = task
    }
}

/// A value, or the error in its place, encoded by the process that has their types; those on the way only pass it on.
package enum EncodedOutcome: Sendable, Codable {
    case value(EncodedValue)
    /// A large value: where it lies, and a value without bytes that holds the actors and objects in it.
    case stored(StoredObject, EncodedValue)
    case failure(EncodedError)
    /// One of these, of a task that still writes streams for others.
    indirect case streaming(EncodedOutcome)

    package var isFailure: Bool { if case .failure = self { true } else { false } }
}

/// An error on its way through processes that may not have its type. Handles in it count only from when it is read.
package struct EncodedError: Error, Hashable, Sendable, Codable {
    /// The mangled name of its type; nil for the mesh's own.
    package var typeName: String?
    package var data: Data

    package init(typeName: String?, data: Data) {
        self.typeName = typeName
        self.data = data
    }
}

/// How the start of an actor ended.
package enum StartOutcome: Hashable, Sendable, Codable {
    case started(HandleFields)
    /// What the initialiser threw.
    case failed(EncodedError)
    /// Its process ended before the initialiser did, in words.
    case crashed(ProcessEnd, String)
}

/// How the making of an actor ended, for the one who asked for it.
package enum SpawnOutcome: Sendable, Codable {
    case started(GrantedHandle)
    /// What the initialiser threw.
    case failed(EncodedError)
    /// Its process ended before the initialiser did, in words.
    case crashed(String)
}

/// A worker process that runs tasks for one submitter.
package struct WorkerLease: Hashable, Sendable, Codable {
    package var node: PeerAddress
    package var worker: PeerAddress

    package init(node: PeerAddress, worker: PeerAddress) {
        self.node = node
        self.worker = worker
    }
}

/// A worker that is out, with what it has, as its node tells a broker that was away.
package struct HostedLease: Hashable, Sendable, Codable {
    package var id: UniqueID
    package var owner: PeerID
    package var worker: PeerID
    package var resources: Resources
    package var gpuIDs: [Int]

    package init(id: UniqueID, owner: PeerID, worker: PeerID, resources: Resources, gpuIDs: [Int]) {
        self.id = id
        self.owner = owner
        self.worker = worker
        self.resources = resources
        self.gpuIDs = gpuIDs
    }
}

/// A node as it joins.
package struct NodeRegistration: Hashable, Sendable, Codable {
    package var name: String
    package var address: PeerAddress
    package var programs: [String]
    package var resources: Resources
    /// Its workers that are out with resources, when it was here before.
    package var leases: [HostedLease]?

    package init(name: String, address: PeerAddress, programs: [String], resources: Resources) {
        self.name = name
        self.address = address
        self.programs = programs
        self.resources = resources
    }
}
