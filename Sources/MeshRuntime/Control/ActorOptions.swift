/// How an actor is spawned: its name, where it lives, how long, and what happens when it dies.
public struct ActorOptions: Hashable, Sendable, Codable {
    /// A name that no other living actor of the namespace has; nil for none.
    public var name: String?
    /// Where the name counts; nil for the mesh's own.
    public var namespace: String?
    /// Whose end it shares.
    public var lifetime: Lifetime
    /// How often it may be started again after an unexpected death, in all its life.
    public var maxRestarts: Limit
    /// How often one call may run again after the actor's death; 0 means at most once.
    public var maxTaskRetries: Limit
    /// What it has of its node as long as it lives. Nil: it needs a node with one CPU in all, and has none of it while it
    /// lives, so that many actors which do little share a CPU. With anything here it has just that, and when it is not
    /// free the actor waits.
    public var resources: Resources?
    /// In a process of its own, or in one with others.
    public var placement: Placement
    /// How many of its calls may run side by side; 1 runs each to its end before the next.
    public var maxConcurrency: Int
    /// How many calls from one process may be outstanding; nil for the mesh's default.
    public var maxPendingCalls: Int?
    /// The node it must be on; nil for any.
    public var node: String?
    /// Which of the nodes with room it is put on; nil: ``PlacementStrategy/spread``.
    public var strategy: PlacementStrategy?
    /// The placement group out of whose bundles it has its resources; nil: straight from a node.
    public var placementGroup: PlacementGroup?
    /// Which of the group's bundles, counted from 0; nil for any with room.
    public var bundle: Int?
    /// For how long it may wait for resources before its first life begins; nil for any time. Then `spawn` throws
    /// `deadlineExceeded`, with what it waited for, and the actor does not exist.
    public var placementTimeout: Duration?
    /// How long to wait between restarts.
    public var backoff: Backoff
    /// What happens to its children when one of them dies; nil: what its type says when that is a ``Supervisor``, else
    /// each child's own ``maxRestarts`` holds.
    public var supervision: Supervision?

    /// The defaults are those of an unnamed actor in a process of its own that is not restarted.
    public init(
        name: String? = nil, namespace: String? = nil, lifetime: Lifetime = .owned, maxRestarts: Limit = 0,
        maxTaskRetries: Limit = 0, resources: Resources? = nil, placement: Placement = .process,
        maxConcurrency: Int = 1, maxPendingCalls: Int? = nil, node: String? = nil,
        strategy: PlacementStrategy? = nil, placementGroup: PlacementGroup? = nil, bundle: Int? = nil,
        placementTimeout: Duration? = nil, backoff: Backoff = Backoff(), supervision: Supervision? = nil
    ) {
        self.name = name
        self.namespace = namespace
        self.lifetime = lifetime
        self.maxRestarts = maxRestarts
        self.maxTaskRetries = maxTaskRetries
        self.resources = resources
        self.placement = placement
        self.maxConcurrency = maxConcurrency
        self.maxPendingCalls = maxPendingCalls
        self.node = node
        self.strategy = strategy
        self.placementGroup = placementGroup
        self.bundle = bundle
        self.placementTimeout = placementTimeout
        self.backoff = backoff
        self.supervision = supervision
    }

    /// Whose end an actor shares.
    public enum Lifetime: String, Hashable, Sendable, Codable {
        /// Ends with the actor or driver that spawned it.
        case owned
        /// Lives until it is killed or exits by itself.
        case detached
    }

    /// Where an actor lives.
    public enum Placement: String, Hashable, Sendable, Codable {
        /// In a process of its own: it crashes alone, and a kill frees everything it had.
        case process
        /// In a process with other shared actors: cheap, for many small ones.
        case shared
    }
}

/// A number of attempts, or no limit.
public struct Limit: Hashable, Sendable, Codable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    /// The number; nil for no limit.
    public var count: Int?

    /// No limit.
    public static let unlimited = Limit(count: nil)

    /// At most so many.
    public init(_ count: Int) { self.count = max(0, count) }

    /// At most so many.
    public init(integerLiteral value: Int) { self.init(value) }

    private init(count: Int?) { self.count = count }

    /// The number, or `unlimited`.
    public var description: String { self.count.map(String.init) ?? "unlimited" }
}

/// What an actor or a task needs of a node, or what a node has.
public struct Resources: Hashable, Sendable, Codable {
    /// Processor cores; fractions share one. This counts, and does not keep anybody from using more.
    public var cpus: Double
    /// GPUs: a part of one, up to 1, or a whole number of them. Actors with parts may share one.
    ///
    /// Which ones it has is in ``ActorContext/gpuIDs``, and in the variable `CUDA_VISIBLE_DEVICES` before any of its code
    /// runs.
    public var gpus: Double
    /// Main memory.
    ///
    /// For an actor in a process of its own it is a limit too. Its process may have so much private memory, used or
    /// not, beyond what it has before the actor is made and some room for the runtime: 32 MiB, and 16 MiB for each
    /// processor of the machine. Memory that is shared, and files that are mapped to be read, do not count. Whoever
    /// asks for more is refused, which ends a Swift program: the actor's end is `outOfMemory` then. Actors in a shared
    /// process, and tasks, have no limit.
    public var memory: ByteCount
    /// Others, by their name.
    public var custom: [String: Double]

    /// Everything that is not named is zero.
    public init(cpus: Double = 0, gpus: Double = 0, memory: ByteCount = .bytes(0), custom: [String: Double] = [:]) {
        self.cpus = cpus
        self.gpus = gpus
        self.memory = memory
        self.custom = custom
    }
}

/// A number of bytes.
public struct ByteCount: Hashable, Sendable, Codable, Comparable {
    /// The number of bytes.
    public var bytes: Int64

    /// So many bytes.
    public static func bytes(_ count: Int64) -> ByteCount { ByteCount(bytes: count) }
    /// So many units of 1,024 bytes.
    public static func kibibytes(_ count: Int64) -> ByteCount { ByteCount(bytes: count << 10) }
    /// So many units of 1,048,576 bytes.
    public static func mebibytes(_ count: Int64) -> ByteCount { ByteCount(bytes: count << 20) }
    /// So many units of 1,073,741,824 bytes.
    public static func gibibytes(_ count: Int64) -> ByteCount { ByteCount(bytes: count << 30) }

    /// Compares the numbers.
    public static func < (one: ByteCount, other: ByteCount) -> Bool { one.bytes < other.bytes }
}
