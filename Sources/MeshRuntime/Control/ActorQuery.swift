public import MeshCore

/// Which actors of a mesh one wants to see, in which order, and how many at a time. The broker looks for them, so that a
/// mesh of many actors can be looked at a page at a time.
public struct ActorQuery: Hashable, Sendable, Codable {
    /// Words that stand in the name, the type, the namespace or the node, or with which the ID begins, in capitals or
    /// not. All of them have to; none finds all.
    public var text: String
    /// Where in their lives they are; empty for anywhere.
    public var states: Set<ActorInfo.State>
    /// The name of the node on which they live; nil for any.
    public var node: String?
    /// Their type, whole (`Bank.Account`) or without its module (`Account`); nil for any.
    public var type: String?
    /// The namespace of their names; nil for any.
    public var namespace: String?
    /// Who spawned them; nil for anybody.
    public var parent: Parent?
    /// What they are sorted by; those that are alike by when they were made.
    public var order: Order
    /// Whether the order is turned round.
    public var isDescending: Bool
    /// How many to pass over.
    public var offset: Int
    /// How many to return; at most ``maximumLimit``.
    public var limit: Int

    /// More than so many are not returned at a time.
    public static let maximumLimit = 1000

    /// All of them by name, the first hundred.
    public init(
        text: String = "", states: Set<ActorInfo.State> = [], node: String? = nil, type: String? = nil,
        namespace: String? = nil, parent: Parent? = nil, order: Order = .name, isDescending: Bool = false,
        offset: Int = 0, limit: Int = 100
    ) {
        self.text = text
        self.states = states
        self.node = node
        self.type = type
        self.namespace = namespace
        self.parent = parent
        self.order = order
        self.isDescending = isDescending
        self.offset = offset
        self.limit = limit
    }

    /// Who spawned an actor.
    public enum Parent: Hashable, Sendable, Codable {
        /// An actor, which is there.
        case actor(UniqueID)
        /// A program, or an actor of it that is not there any more.
        case program(PeerID)
        /// Nobody whose end counts: detached actors.
        case nobody
    }

    /// What actors are sorted by.
    public enum Order: String, Hashable, Sendable, Codable, CaseIterable {
        /// Their names; those without one come last, by their types.
        case name
        /// Their types without the modules, then their names.
        case type
        /// Where in their lives they are.
        case state
        /// The names of their nodes.
        case node
        /// How often they were started again.
        case restarts
        /// How many processes have handles to them.
        case holders
        /// How many actors they have spawned that are there.
        case children
        /// When they were made.
        case age
    }
}

/// A part of those that a query found.
public struct ActorPage: Hashable, Sendable, Codable {
    /// The actors, in the order that was asked for.
    public var actors: [ActorInfo]
    /// How many the query found in all.
    public var matching: Int
    /// How many actors there are.
    public var total: Int

    package init(actors: [ActorInfo], matching: Int, total: Int) {
        self.actors = actors
        self.matching = matching
        self.total = total
    }
}

/// A part of the actors that have ended, as far as the broker remembers them.
public struct EndedActorPage: Hashable, Sendable, Codable {
    /// How they ended, the last first.
    public var terminations: [ActorTermination]
    /// How many were found in all.
    public var matching: Int
    /// How many the broker remembers.
    public var total: Int

    package init(terminations: [ActorTermination], matching: Int, total: Int) {
        self.terminations = terminations
        self.matching = matching
        self.total = total
    }
}

/// Everything that the broker knows of one actor.
public struct ActorDetails: Hashable, Sendable, Codable {
    /// The actor; nil when it has ended.
    public var actor: ActorInfo?
    /// How it ended; nil while it is there.
    public var termination: ActorTermination?
    /// The actor that spawned it, if that is there.
    public var owner: ActorInfo?
    /// The processes that have handles to it, at most 100.
    public var holders: [Holder]
    /// How often it may be started again, as it was spawned.
    public var maxRestarts: Limit
    /// How many of its calls may run side by side.
    public var maxConcurrency: Int

    package init(
        actor: ActorInfo? = nil, termination: ActorTermination? = nil, owner: ActorInfo? = nil,
        holders: [Holder] = [], maxRestarts: Limit = 0, maxConcurrency: Int = 1
    ) {
        self.actor = actor
        self.termination = termination
        self.owner = owner
        self.holders = holders
        self.maxRestarts = maxRestarts
        self.maxConcurrency = maxConcurrency
    }

    /// A process that has a handle.
    public struct Holder: Hashable, Sendable, Codable {
        /// The process.
        public var process: PeerID
        /// The node whose worker it is; nil for a program, for the broker, and for one that the broker does not know.
        public var node: String?
        /// Whether it is the broker, in whose registry handles are that are among the arguments of actors.
        public var isBroker = false
        /// The actors that live in it, at most ten.
        public var actors: [ActorInfo]

        package init(process: PeerID, node: String? = nil, actors: [ActorInfo] = []) {
            self.process = process
            self.node = node
            self.actors = actors
        }
    }
}
