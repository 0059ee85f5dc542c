package import FoundationEssentials
import HeapModule
package import MeshCore
package import MeshRuntime

/// The actors, names, nodes and holds of a mesh, and what follows when any of them comes or goes. A value without
/// sockets or clocks: whoever has it tells it what happened and does the ``Effect``s that come of it.
///
/// Times are nanoseconds of a clock that never goes back. The same happenings have the same effects in the same order.
package struct Registry: Sendable {
    package internal(set) var entries: [UniqueID: Entry] = [:]
    package internal(set) var nodes: [PeerID: Node] = [:]
    /// How actors ended that are no more, as far as they are remembered.
    package internal(set) var terminations: [UniqueID: ActorTermination] = [:]
    var terminationOrder: [UniqueID] = []
    var names: [NameKey: UniqueID] = [:]
    var processes: [PeerID: ProcessEntry] = [:]
    var objects: [UniqueID: ObjectEntry] = [:]
    /// Processes that have ended and how, so that what they asked for before does not come to life after them.
    var gone: [PeerID: Death] = [:]
    var goneOrder: [PeerID] = []
    var nextOrder: UInt64 = 1
    /// The actors on nodes that have not joined this broker yet.
    var absent: [PeerID: Set<UniqueID>] = [:]
    /// The actors whose owners have not been listed yet.
    var orphans: [UniqueID: Set<UniqueID>] = [:]
    /// Those who are to be put on a node, and for whom there is no room yet, or no node.
    package internal(set) var queue = PlacementQueue()
    /// Whether something may have been freed since those who wait were last served.
    var mayPlace = false
    /// The workers for tasks that ask for resources.
    package internal(set) var leases: [UniqueID: Lease] = [:]
    package internal(set) var groups: [UniqueID: Group] = [:]
    /// When to look at which actor, at the earliest.
    var agenda = Heap<Appointment>()
    /// Until when nodes may come back with actors of which nothing is known, because there was a broker before.
    package internal(set) var expectsReturnsUntil: UInt64 = 0
    /// What processes hold of actors of which nothing is known, while those may come back with their nodes.
    var unclaimed: [UniqueID: [PeerID: Int]] = [:]
    /// The actors that have changed since somebody last wrote them down.
    package internal(set) var changed: Set<UniqueID> = []
    var effects: [Effect] = []
    /// How often actors were started again.
    var restartCount = 0
    package let settings: Settings

    /// Times and bounds.
    package struct Settings: Sendable {
        /// How long after the death of a process that held an actor nobody else has to hold it: a handle may be on its
        /// way from the dead process to a living one.
        package var graceAfterDeath: UInt64 = 200_000_000
        /// How long an actor may finish the calls that it had accepted when its owner ended.
        package var drainTime: UInt64
        /// How soon to try again what could not be done, and how late a node may be.
        package var retryTime: UInt64 = 500_000_000
        /// How many actors that are no more are remembered.
        package var remembered: Int

        package init(drainTime: UInt64 = 5_000_000_000, remembered: Int = 10_000) {
            self.drainTime = drainTime
            self.remembered = remembered
        }

        /// How long those that hold or own an actor may take to say so, once its node has said that it is there.
        package var claimTime: UInt64 { 2 * self.drainTime }
    }

    package static let defaultNamespace = "default"

    package init(settings: Settings = Settings()) { self.settings = settings }

    package mutating func takeEffects() -> [Effect] {
        defer { self.effects = [] }
        return self.effects
    }

    /// The actors that have changed since the last time, to be written down: as their ``Record`` if they have one, else
    /// as ended.
    package mutating func takeChanged() -> Set<UniqueID> {
        defer { self.changed = [] }
        return self.changed
    }
}

// MARK: What is listed

extension Registry {
    @dynamicMemberLookup
    package struct Entry: Sendable {
        @Boxed private var fields: EntryFields

        init(spec: ActorSpec, phase: Phase, node: PeerID?, order: UInt64) {
            self._fields = Boxed(wrappedValue: EntryFields(spec: spec, phase: phase, node: node, order: order))
        }

        package subscript<Value>(dynamicMember field: KeyPath<EntryFields, Value>) -> Value {
            self.fields[keyPath: field]
        }

        package subscript<Value>(dynamicMember field: WritableKeyPath<EntryFields, Value>) -> Value {
            get { self.fields[keyPath: field] }
            _modify { yield &self.fields[keyPath: field] }
        }
    }

    /// What is known of an actor, in a place of its own: it is large, is passed around, and the table of all actors
    /// grows by moving what is in it.
    package struct EntryFields: Sendable {
        package var spec: ActorSpec
        package var phase: Phase
        /// The node that it is on, or on which it is being started.
        package var node: PeerID?
        /// The name of the node that it is or was on.
        package var nodeName = ""
        package var address: PeerAddress?
        /// Its place in the order of making.
        package let order: UInt64
        /// Whether its initialiser has ever succeeded. If not, whoever spawns it hears of its end, and that is all.
        package var hasLived = false
        /// How often it was started again in all its life, and in a row.
        package var restarts = 0
        package var restartsInARow = 0
        var aliveSince: UInt64 = 0
        /// Who has handles, with the number of grants.
        package var holders: [PeerID: Int] = [:]
        /// What it has as long as it is on a node.
        package let needs: ResourceAmounts
        /// From where it has that; nil while it has none.
        package var pool: PoolID?
        /// Whether anybody ever had one in this broker's time: before that its holders may be still to come.
        var wasHeld = false
        var isReleasing = false
        /// When to look again whether it is held.
        var releaseAt: UInt64?
        /// Until when its owner has to be listed, while it is not.
        var orphanUntil: UInt64?
        /// Until when it may finish what it accepted, once its owner has ended.
        var drainDeadline: UInt64?
        package var children: Set<UniqueID> = []
        /// When its children were restarted, for its supervision.
        var childRestarts: [UInt64] = []
        /// Its siblings that start only once it is alive.
        var followers: [UniqueID] = []
        /// Those of its children that are being ended in order to start again. None starts before the last has ended.
        var endingGroup: Set<UniqueID> = []
        /// Why it waits, for people.
        package var waitsFor: String?

        init(spec: ActorSpec, phase: Phase, node: PeerID?, order: UInt64) {
            self.spec = spec
            self.phase = phase
            self.node = node
            self.order = order
            // Whoever asked for what cannot be had was refused.
            self.needs = (try? ResourceAmounts(asked: spec.options.resources ?? Resources())) ?? ResourceAmounts()
        }
    }

    package enum Phase: Hashable, Sendable, Codable {
        /// It was never started: it waits for a node with room, perhaps only until a time.
        case pending(until: UInt64?)
        /// Its process or its initialiser is on the way.
        case starting
        /// It takes calls.
        case alive
        /// It is dead, and its supervisor is being asked what to do about that, or gives up itself.
        case deciding(Death)
        /// It died and will be started again.
        case restarting(Restart)
        /// Its node was told to end it.
        case ending(Ending)
        /// It was alive when this broker's predecessor ended, and its node has not come back yet.
        case missing(until: UInt64)

        /// Whether it took calls, and may be dead by now without the news of that.
        var mayHaveDied: Bool {
            switch self {
            case .alive, .ending: true
            case .pending, .starting, .deciding, .restarting, .missing: false
            }
        }
    }

    /// How a life ended.
    package struct Death: Hashable, Sendable, Codable {
        package var cause: ActorTermination.Cause
        package var process: ProcessEnd?
        package var message: String

        package init(_ cause: ActorTermination.Cause, process: ProcessEnd? = nil, _ message: String) {
            self.cause = cause
            self.process = process
            self.message = message
        }
    }

    package struct Restart: Hashable, Sendable, Codable {
        var at: UInt64
        /// A sibling that has to be alive first.
        var after: UniqueID?
        var death: Death
    }

    package struct Ending: Hashable, Sendable, Codable {
        var death: Death
        /// What comes when it has ended.
        var next: Next
        /// How its node was told to end it.
        var mode: EndMode
        /// When to end it the hard way, or to give up its node that is not there.
        var due: UInt64?

        enum Next: Hashable, Sendable, Codable {
            case finish
            /// Do as after any death.
            case decide
            /// Start it again if it may be.
            case restartIfAllowed
            /// Start it again, as its supervision says.
            case restart(at: UInt64, after: UniqueID?)
        }
    }

    package struct Node: Sendable {
        package var registration: NodeRegistration
        package var actors: Set<UniqueID> = []
        var workers: Set<PeerID> = []
        /// What it has, and who has it.
        package var pool: ResourcePool

        init(registration: NodeRegistration, actors: Set<UniqueID>, workers: Set<PeerID>) {
            self.registration = registration
            self.actors = actors
            self.workers = workers
            // What no node can have was refused.
            self.pool = ResourcePool((try? ResourceAmounts(offered: registration.resources)) ?? ResourceAmounts())
        }
    }

    struct ProcessEntry: Sendable {
        var holds: Set<UniqueID> = []
        /// The actors that it owns without an actor in between.
        var children: Set<UniqueID> = []
        /// The actors that live in it.
        var actors: Set<UniqueID> = []
        /// The objects that it holds.
        var objects: Set<UniqueID> = []
        /// The node that it is a worker of.
        var node: PeerID?
        /// The leases of which it is the worker.
        var leases: Set<UniqueID> = []
        /// Where it has what an actor had that ended itself.
        var remainders: Set<PoolID> = []

        var isEmpty: Bool {
            self.holds.isEmpty && self.children.isEmpty && self.actors.isEmpty && self.node == nil
                && self.objects.isEmpty && self.leases.isEmpty && self.remainders.isEmpty
        }
    }

    struct NameKey: Hashable, Sendable {
        var name: String
        var namespace: String
    }

    /// Actors in the order of their making.
    func inOrder(_ ids: some Collection<UniqueID>) -> [UniqueID] {
        guard ids.count > 1 else { return Array(ids) }
        return ids.map { (self.entries[$0]?.order ?? 0, $0) }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    mutating func takeOrder() -> UInt64 {
        defer { self.nextOrder += 1 }
        return self.nextOrder
    }

    /// An actor is on a node, and has there what it asked for.
    mutating func enter(_ id: UniqueID, _ node: PeerID, _ pool: PoolID? = nil) {
        self.entries[id]?.node = node
        if let entry = self.entries[id], self.nodes[node] != nil {
            self.hold(id, in: pool ?? self.pool(of: entry, on: node))
        }
        self.entries[id]?.nodeName = self.nodes[node]?.registration.name ?? ""
        self.nodes[node]?.actors.insert(id)
        self.mayPlace = true
    }

    /// An actor lives in a process of its node.
    mutating func enter(_ id: UniqueID, at address: PeerAddress, on node: PeerID) {
        self.entries[id]?.address = address
        self.processes[address.peer, default: ProcessEntry()].actors.insert(id)
        self.join(address.peer, node)
    }

    mutating func leaveNode(_ id: UniqueID) {
        guard let entry = self.entries[id] else { return }
        if let node = entry.node {
            self.nodes[node]?.actors.remove(id)
            if self.absent[node]?.remove(id) != nil, self.absent[node]?.isEmpty == true { self.absent[node] = nil }
        }
        if let process = entry.address?.peer { self.processes[process]?.actors.remove(id) }
        if let pool = entry.pool {
            self.entries[id]?.pool = nil
            self.release(.actor(id), from: pool)
        }
        self.mayPlace = true
        self.entries[id]?.node = nil
        self.entries[id]?.address = nil
    }

    /// A process is a worker of a node.
    mutating func join(_ process: PeerID, _ node: PeerID) {
        self.processes[process, default: ProcessEntry()].node = node
        self.nodes[node]?.workers.insert(process)
    }
}

/// What has to be done because something happened.
package enum Effect: Hashable, Sendable {
    /// Tell a node to start an actor; then `Registry.started` or `Registry.startFailed`.
    case start(ActorSpec, on: PeerID)
    /// Tell a node to end an actor, which may have been told so before; then `Registry.ended`.
    case end(UniqueID, incarnation: UInt64, on: PeerID, EndMode, ActorTermination.Cause)
    /// Ask a node to say when an actor has nothing to do and nobody in its process has a handle; then `Registry.idle`.
    case awaitIdle(UniqueID, incarnation: UInt64, on: PeerID)
    /// Ask a supervisor what to do about a child; then `Registry.decided`.
    case ask(UniqueID, incarnation: UInt64, on: PeerID, about: ActorTermination)
    /// Something about an actor changed for which somebody may wait.
    case changed(UniqueID)
    /// Tell those who listen.
    case event(MeshEvent)
    /// Tell a process that nobody seemed to hold these objects of its own: it is to ask.
    case objectsFree([UniqueID], of: PeerID)
    /// Processes have ended: take back the workers that they had leased.
    case reclaim([PeerID])
}

/// When something happens.
package struct Moment: Hashable, Sendable {
    /// In nanoseconds of a clock that never goes back.
    package var time: UInt64
    /// For people.
    package var date: Date

    package init(time: UInt64, date: Date) {
        self.time = time
        self.date = date
    }
}

/// How an actor is ended.
package enum EndMode: Hashable, Sendable, Codable {
    /// At once: its process is killed, or it is dropped from the one that it shares.
    case kill
    /// It finishes the calls that it has accepted and cleans up, for so many nanoseconds at most.
    case stop(within: UInt64)
}
