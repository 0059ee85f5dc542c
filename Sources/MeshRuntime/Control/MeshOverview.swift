public import FoundationEssentials
public import MeshCore

/// What a mesh consists of, in numbers.
public struct MeshOverview: Hashable, Sendable, Codable {
    /// When this was so, by the clock of the broker's host.
    public var date: Date
    /// Since when this broker runs.
    public var startDate: Date
    /// How many actors there are in each part of their lives; only those that are not 0.
    public var states: [ActorInfo.State: Int]
    /// How many actors there are of each type, the most frequent first; at most 50 types.
    public var types: [TypeCount]
    /// How many types there are.
    public var typeCount: Int
    /// How many ended actors the broker remembers.
    public var ended: Int
    /// How often actors were started again since this broker runs.
    public var restarts: Int
    /// How many nodes there are.
    public var nodes: Int
    /// What all nodes have.
    public var resources: Resources
    /// What of that is used.
    public var used: Resources
    /// How many objects somebody has a reference to that is not their owner.
    public var sharedObjects: Int
    /// How many placement groups there are.
    public var placementGroups: Int
    /// The programs that have spawned actors which are there, at most 1,000.
    public var programs: [Program]
    /// How many actors are detached.
    public var detached: Int

    /// How many actors there are.
    public var actors: Int { self.states.values.reduce(0, +) }

    package init(
        date: Date, startDate: Date, states: [ActorInfo.State: Int] = [:], types: [TypeCount] = [], typeCount: Int = 0,
        ended: Int = 0, restarts: Int = 0, nodes: Int = 0, resources: Resources = Resources(),
        used: Resources = Resources(),
        sharedObjects: Int = 0, placementGroups: Int = 0, programs: [Program] = [], detached: Int = 0
    ) {
        self.date = date
        self.startDate = startDate
        self.states = states
        self.types = types
        self.typeCount = typeCount
        self.ended = ended
        self.restarts = restarts
        self.nodes = nodes
        self.resources = resources
        self.used = used
        self.sharedObjects = sharedObjects
        self.placementGroups = placementGroups
        self.programs = programs
        self.detached = detached
    }

    /// A type, and how many actors of it there are.
    public struct TypeCount: Hashable, Sendable, Codable {
        /// The type, as its program names it.
        public var type: String
        /// How many there are.
        public var count: Int

        package init(type: String, count: Int) {
            self.type = type
            self.count = count
        }
    }

    /// A process that has spawned actors without being one.
    public struct Program: Hashable, Sendable, Codable {
        /// The process.
        public var process: PeerID
        /// Its number on its host; 0 when the broker does not know it.
        public var processID: Int32
        /// The node whose worker it is, when it spawned them from a task; nil otherwise.
        public var node: String?
        /// How many actors it has spawned that are there, without those that they spawned.
        public var actors: Int

        package init(process: PeerID, processID: Int32, node: String?, actors: Int) {
            self.process = process
            self.processID = processID
            self.node = node
            self.actors = actors
        }
    }
}

/// The workers that are out to run tasks, and what they run.
public struct TaskListing: Hashable, Sendable, Codable {
    /// The workers, by node and process.
    public var workers: [Worker]
    /// How many workers are asked for and not to be had yet: as many as tasks wait, but at most 64 for each process that
    /// submits some, and for each amount of resources.
    public var waiting: Int
    /// The nodes that did not say in time what they run.
    public var silentNodes: [String]

    package init(workers: [Worker] = [], waiting: Int = 0, silentNodes: [String] = []) {
        self.workers = workers
        self.waiting = waiting
        self.silentNodes = silentNodes
    }

    /// A worker process that somebody has for his tasks.
    public struct Worker: Hashable, Sendable, Codable {
        /// The name of its node.
        public var node: String
        /// Its number on its host.
        public var processID: Int32
        /// The process that submits the tasks.
        public var submitter: PeerID
        /// What it has of its node; nil for one of the node's slots for tasks.
        public var resources: Resources?
        /// The GPUs of its node that it has.
        public var gpuIDs: [Int]
        /// What it runs now, the oldest first, at most 100; nil when it did not say so in time, as when a task keeps its
        /// threads busy.
        public var running: [RunningTask]?

        package init(
            node: String, processID: Int32, submitter: PeerID, resources: Resources? = nil, gpuIDs: [Int] = [],
            running: [RunningTask]? = nil
        ) {
            self.node = node
            self.processID = processID
            self.submitter = submitter
            self.resources = resources
            self.gpuIDs = gpuIDs
            self.running = running
        }
    }
}

/// A task that runs.
public struct RunningTask: Hashable, Sendable, Codable {
    /// The task's number, which is that of its result.
    public var id: UniqueID
    /// Its type, as its program names it.
    public var typeName: String
    /// The actor that submitted it, or in whose task it was submitted; nil for a program.
    public var owner: UniqueID?
    /// Since when it runs, by the clock of its host.
    public var startDate: Date

    package init(id: UniqueID, typeName: String, owner: UniqueID?, startDate: Date) {
        self.id = id
        self.typeName = typeName
        self.owner = owner
        self.startDate = startDate
    }
}
