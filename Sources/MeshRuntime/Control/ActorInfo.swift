public import MeshCore

/// What the broker knows of an actor.
public struct ActorInfo: Hashable, Sendable, Codable {
    /// The actor's number.
    public var id: UniqueID
    /// Its type, as its program names it.
    public var typeName: String
    /// Its name, if it has one.
    public var name: String?
    /// The namespace of its name.
    public var namespace: String
    /// Where it is in its life.
    public var state: State
    /// The node that it lives on.
    public var node: String
    /// The process that it lives in; 0 while it is being started.
    public var processID: Int32
    /// How often it has been started, counted from 1.
    public var incarnation: UInt64
    /// Whether it shares its process with others.
    public var placement: ActorOptions.Placement
    /// Whose end it shares.
    public var lifetime: ActorOptions.Lifetime
    /// The actor that spawned it; nil for one that a program spawned, and for a detached one.
    public var owner: UniqueID?
    /// The process of the program, or of the actor, that spawned it; nil for a detached one.
    public var ownerProcess: PeerID?
    /// How often it was started again.
    public var restarts: Int
    /// How many processes have a handle to it.
    public var holders: Int
    /// How many actors it has spawned that are there and are not detached.
    public var children: Int
    /// Why it is not alive yet, or not again, when it waits for something.
    public var waitsFor: String?
    /// What it asked for; nil when it said nothing of that.
    public var resources: Resources?
    /// The GPUs of its node that it has.
    public var gpuIDs: [Int]

    /// Where an actor is in its life.
    public enum State: String, Hashable, Sendable, Codable, CaseIterable {
        /// It was never started: it waits for a node with room; ``ActorInfo/waitsFor`` says for what.
        case pending
        /// Its process or its initialiser is on the way.
        case starting
        /// It takes calls.
        case alive
        /// It died and will be started again.
        case restarting
        /// It finishes what it had accepted.
        case ending
    }

    package init(
        id: UniqueID, typeName: String, name: String?, namespace: String, state: State, node: String,
        processID: Int32, incarnation: UInt64, placement: ActorOptions.Placement, lifetime: ActorOptions.Lifetime,
        owner: UniqueID? = nil, ownerProcess: PeerID? = nil, restarts: Int = 0, holders: Int = 0,
        children: Int = 0, waitsFor: String? = nil, resources: Resources? = nil, gpuIDs: [Int] = []
    ) {
        self.id = id
        self.typeName = typeName
        self.name = name
        self.namespace = namespace
        self.state = state
        self.node = node
        self.processID = processID
        self.incarnation = incarnation
        self.placement = placement
        self.lifetime = lifetime
        self.owner = owner
        self.ownerProcess = ownerProcess
        self.restarts = restarts
        self.holders = holders
        self.children = children
        self.waitsFor = waitsFor
        self.resources = resources
        self.gpuIDs = gpuIDs
    }
}

/// What the broker knows of a node.
public struct NodeInfo: Hashable, Sendable, Codable {
    /// The node's name.
    public var name: String
    /// The programs whose actors and tasks it can run.
    public var programs: [String]
    /// The process number of its agent.
    public var processID: Int32
    /// Where its agent is reached.
    public var endpoints: [String]
    /// What it has in all.
    public var resources: Resources
    /// What of that actors, tasks and placement groups have.
    public var used: Resources
    /// How many actors live on it.
    public var actors: Int
    /// How full its store of large objects is; nil when it did not say so in time.
    public var objects: ObjectUsage?

    package init(
        name: String, programs: [String], processID: Int32, endpoints: [String], resources: Resources,
        used: Resources = Resources(), actors: Int, objects: ObjectUsage? = nil
    ) {
        self.objects = objects
        self.name = name
        self.programs = programs
        self.processID = processID
        self.endpoints = endpoints
        self.resources = resources
        self.used = used
        self.actors = actors
    }
}

/// `Account` for `Bank.Account`, `Vault<Account>` for `Bank.Vault<Bank.Account>`.
package func shortName(ofType name: String) -> String {
    guard name.utf8.contains(UInt8(ascii: "<")) else {
        return name.utf8.lastIndex(of: UInt8(ascii: ".")).map { String(name[name.index(after: $0)...]) } ?? name
    }
    var (short, part) = ("", "")
    for character in name {
        switch character {
        case ".": part = ""
        case "<", ">", ",", " ", "(", ")", "[", "]", ":":
            short += part
            short.append(character)
            part = ""
        default: part.append(character)
        }
    }
    return short + part
}
