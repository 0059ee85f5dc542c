package import FoundationEssentials
package import MeshCore
package import MeshRuntime

/// The actors, names, nodes and holds of a mesh, and what follows when any of them comes or goes. A value without
/// sockets or clocks: whoever has it tells it what happened and does the ``Effect``s that come of it.
///
/// Times are nanoseconds of a clock that never goes back.
package struct Registry: Sendable {
    package internal(set) var entries: [UniqueID: Entry] = [:]
    package internal(set) var nodes: [PeerID: Node] = [:]
    /// How actors ended that are no more, as far as they are remembered.
    package internal(set) var terminations: [UniqueID: ActorTermination] = [:]
    var terminationOrder: [UniqueID] = []
    var names: [NameKey: UniqueID] = [:]
    var processes: [PeerID: ProcessEntry] = [:]
    /// Processes that have ended, so that what they asked for before does not come to life after them.
    var gone: Set<PeerID> = []
    var goneOrder: [PeerID] = []
    var nextOrder: UInt64 = 1
    /// The actors for which something is due at some time.
    var timed: Set<UniqueID> = []
    /// The actors that have changed since somebody last wrote them down.
    package internal(set) var changed: Set<UniqueID> = []
    var effects: [Effect] = []
    package let settings: Settings

    /// Times and bounds.
    package struct Settings: Sendable {
        /// How long after the death of a process that held an actor nobody else has to hold it: a handle may be on its
        /// way from the dead process to a living one.
        package var graceAfterDeath: UInt64 = 200_000_000
        /// How long an actor may finish the calls that it had accepted when its owner ended.
        package var drainTime: UInt64
        /// How soon to try again what could not be done.
        package var retryTime: UInt64 = 500_000_000
        /// How many actors that are no more are remembered.
        package var remembered = 10_000

        package init(drainTime: UInt64 = 5_000_000_000) { self.drainTime = drainTime }
    }

    package struct Entry: Sendable {
        package var spec: ActorSpec
        package var phase: Phase
        /// The node that it is on, or on which it is being started.
        package var node: PeerID?
        /// The name of the node that it is or was on.
        package var nodeName = ""
        package var address: PeerAddress?
        /// Its place in the order of making.
        package let order: UInt64
        /// How often it was started again in all its life, and in a row.
        package var restarts = 0
        package var restartsInARow = 0
        var aliveSince: UInt64 = 0
        /// Who has handles, with the number of grants.
        package var holders: [PeerID: Int] = [:]
        /// Whether anybody ever had one in this broker's time: before that its holders may be still to come.
        var wasHeld = false
        var isReleasing = false
        /// When to look again whether it is held.
        var releaseAt: UInt64?
        /// Until when it may finish what it accepted, once its owner has ended.
        var drainDeadline: UInt64?
        package var children: [UniqueID] = []
        /// When its children were restarted, for its supervision.
        var childRestarts: [UInt64] = []
        /// Why it waits, for people.
        package var waitsFor: String?
    }

    package enum Phase: Hashable, Sendable {
        /// Its process or its initialiser is on the way.
        case starting
        /// It takes calls.
        case alive
        /// Its supervisor is being asked what to do about its death.
        case deciding(Death)
        /// It died and will be started again.
        case restarting(Restart)
        /// Its node was told to end it.
        case ending(Ending)
        /// It was alive when this broker's predecessor ended, and its node has not come back yet.
        case missing(until: UInt64)
    }

    /// How a life ended.
    package struct Death: Hashable, Sendable {
        package var cause: ActorTermination.Cause
        package var process: ProcessEnd?
        package var message: String

        package init(_ cause: ActorTermination.Cause, process: ProcessEnd? = nil, _ message: String) {
            self.cause = cause
            self.process = process
            self.message = message
        }
    }

    package struct Restart: Hashable, Sendable {
        var at: UInt64
        /// A sibling that has to be alive first.
        var after: UniqueID?
        var death: Death
    }

    package struct Ending: Hashable, Sendable {
        var death: Death
        /// What comes when it has ended.
        var next: Next

        enum Next: Hashable, Sendable {
            case finish
            /// Start it again if it may be.
            case restartIfAllowed
            /// Start it again, as its supervision says.
            case restart(at: UInt64, after: UniqueID?)
        }
    }

    package struct Node: Sendable {
        package var registration: NodeRegistration
        package var actors: Set<UniqueID> = []
    }

    struct ProcessEntry: Sendable {
        var holds: Set<UniqueID> = []
        /// The actors that it owns without an actor in between.
        var children: [UniqueID] = []
        /// The node that it is a worker of.
        var node: PeerID?
    }

    struct NameKey: Hashable, Sendable {
        var name: String
        var namespace: String
    }

    package static let defaultNamespace = "default"

    package init(settings: Settings = Settings()) { self.settings = settings }
}

/// What has to be done because something happened.
package enum Effect: Hashable, Sendable {
    /// Tell a node to start an actor; then `Registry.started` or `Registry.startFailed`.
    case start(ActorSpec, on: PeerID)
    /// Tell a node to end an actor; then `Registry.ended`.
    case end(UniqueID, incarnation: UInt64, on: PeerID, EndMode, ActorTermination.Cause)
    /// Ask a node to say when an actor has nothing to do and nobody in its process has a handle; then `Registry.idle`.
    case awaitIdle(UniqueID, incarnation: UInt64, on: PeerID)
    /// Ask a supervisor what to do about a child; then `Registry.decided`.
    case ask(UniqueID, incarnation: UInt64, on: PeerID, about: ActorTermination)
    /// Something about an actor changed for which somebody may wait.
    case changed(UniqueID)
    /// Tell those who listen.
    case event(MeshEvent)
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
