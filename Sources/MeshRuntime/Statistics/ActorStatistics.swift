public import MeshCore

/// What an actor has done in its present life, as its process counts it.
public struct ActorStatistics: Hashable, Sendable, Codable {
    /// The actor's number.
    public var id: UniqueID
    /// Its type, as its program names it.
    public var typeName: String
    /// Its name, if it has one.
    public var name: String?
    /// Which life of it this is.
    public var incarnation: UInt64
    /// How many calls have ended, those that failed included.
    public var calls: UInt64
    /// How many of them ended with an error.
    public var failures: UInt64
    /// How many calls run now.
    public var running: Int
    /// How many wait in its mailbox.
    public var waiting: Int
    /// For how long calls have run, all together: with more than one at a time it grows faster than time.
    public var busy: Duration
    /// How long its calls ran, without the time that they waited.
    public var latencies: LatencyHistogram

    package init(
        id: UniqueID, typeName: String, name: String?, incarnation: UInt64, calls: UInt64, failures: UInt64,
        running: Int, waiting: Int, busy: Duration, latencies: LatencyHistogram
    ) {
        self.id = id
        self.typeName = typeName
        self.name = name
        self.incarnation = incarnation
        self.calls = calls
        self.failures = failures
        self.running = running
        self.waiting = waiting
        self.busy = busy
        self.latencies = latencies
    }
}

/// A call that runs or waits somewhere in the mesh.
public struct CallInfo: Hashable, Sendable, Codable {
    /// The actor that is called.
    public var actor: UniqueID
    /// The same for people: `Account "savings" (1fcc75b5)`.
    public var actorLabel: String
    /// The method, such as `Account.deposit(_:)`.
    public var method: String
    /// Since when it runs, counted back from when this was asked; nil: it waits in the mailbox.
    public var runningFor: Duration?
    /// Who made it, for people: `Counter (1fcc75b5) in process 4711`.
    public var caller: String
    /// The actor that made it and awaits it; nil for programs, tasks, and calls that nobody awaits.
    public var callingActor: UniqueID?

    package init(
        actor: UniqueID, actorLabel: String, method: String, runningFor: Duration?, caller: String,
        callingActor: UniqueID?
    ) {
        self.actor = actor
        self.actorLabel = actorLabel
        self.method = method
        self.runningFor = runningFor
        self.caller = caller
        self.callingActor = callingActor
    }
}
