public import FoundationEssentials
public import MeshCore

/// Who ended for good, when, and why.
public struct ActorTermination: Hashable, Sendable, Codable {
    /// The actor's number.
    public var actor: UniqueID
    /// Its type, as its program names it.
    public var typeName: String
    /// The name it had.
    public var name: String?
    /// The namespace of its name.
    public var namespace: String
    /// Its last life, counted from 1.
    public var incarnation: UInt64
    /// What ended it.
    public var cause: Cause
    /// What the system says of its process, when that is what ended.
    public var process: ProcessEnd?
    /// Which actor on which node, and what happened, in words.
    public var message: String
    /// The node that it lived on last.
    public var node: String
    /// When the mesh learned of it, by the clock of the broker's host.
    public var date: Date

    /// Makes a termination.
    package init(
        actor: UniqueID, typeName: String, name: String?, namespace: String, incarnation: UInt64, cause: Cause,
        process: ProcessEnd? = nil, message: String, node: String, date: Date
    ) {
        self.actor = actor
        self.typeName = typeName
        self.name = name
        self.namespace = namespace
        self.incarnation = incarnation
        self.cause = cause
        self.process = process
        self.message = message
        self.node = node
        self.date = date
    }

    /// What ends actors.
    public enum Cause: String, Hashable, Sendable, Codable {
        /// Nobody had a handle to it any more.
        case released
        /// It ended itself: `ActorContext.current.exit()`.
        case exited
        /// It was told to finish what it had accepted and to end: `Mesh.stop`.
        case stopped
        /// `Mesh.kill`.
        case killed
        /// The actor or the driver that spawned it ended.
        case ownerDied
        /// Its process ended by itself or by a signal; ``ActorTermination/process`` says how.
        case processCrashed
        /// Its process ended because it could have no more memory.
        case outOfMemory
        /// The node on which it lived ended, or was not heard for the lease time.
        case nodeLost
        /// It died more often than it may be started again; ``ActorTermination/process`` tells of the last time.
        case restartsExhausted
        /// Its initialiser failed.
        case constructorFailed
        /// It was never started: no node had room for it within its `placementTimeout`.
        case notPlaced
        /// It is not known any more what ended it: the broker has forgotten, or never knew the actor.
        case unknown

        /// For messages to people: `it was killed`.
        package var words: String {
            switch self {
            case .released: "nobody had a handle to it any more"
            case .exited: "it ended itself"
            case .stopped: "it was told to stop"
            case .killed: "it was killed"
            case .ownerDied: "its owner has ended"
            case .processCrashed: "its process has ended"
            case .outOfMemory: "its process ran out of memory"
            case .nodeLost: "its node was lost"
            case .restartsExhausted: "it died more often than it may be restarted"
            case .constructorFailed: "its initialiser failed"
            case .notPlaced: "it could not be placed in time"
            case .unknown: "it is not known why"
            }
        }
    }
}

/// How a process ended, as its node saw it.
public struct ProcessEnd: Hashable, Sendable, Codable {
    /// The process's number on its host.
    public var processID: Int32
    /// The signal that ended it; nil when it exited by itself.
    public var signal: Int32?
    /// The status with which it exited; nil when a signal ended it.
    public var status: Int32?
    /// The last lines that it wrote to standard output and standard error, the oldest first.
    public var lastOutput: [String]
    /// Whether the system ended it for want of memory, or refused it more.
    public var isOutOfMemory: Bool
    /// Whether its node ended it because it did not answer for the lease time.
    public var isUnresponsive: Bool

    /// Describes the end of a process.
    package init(
        processID: Int32, signal: Int32? = nil, status: Int32? = nil, lastOutput: [String] = [],
        isOutOfMemory: Bool = false, isUnresponsive: Bool = false
    ) {
        self.processID = processID
        self.signal = signal
        self.status = status
        self.lastOutput = lastOutput
        self.isOutOfMemory = isOutOfMemory
        self.isUnresponsive = isUnresponsive
    }
}
