public import FoundationEssentials
public import Logging
public import MeshCore

/// Something that a process of a mesh said, as the collector keeps it.
public struct LogRecord: Codable, Hashable, Sendable {
    /// The node whose worker said it; for a driver, the name of its host.
    public var node: String
    /// The process that said it.
    public var processID: Int32
    /// That process in its one life: numbers of processes are used again, these are not.
    public var source: UniqueID
    /// Counts what the source said, from 1. One that is missing is covered by a ``Kind/gap``.
    public var sequence: UInt64
    /// When it was said; for lines of output, when its node read them.
    public var date: Date
    /// How important it is. Lines of standard output are `info`, those of standard error `notice`, messages `info`.
    public var level: Logger.Level
    /// How it was said.
    public var kind: Kind
    /// What was said: a line without its end, or the message of a log statement.
    public var text: String
    /// What was said beside the text. A logger's label is under `logger`, whoever sent a message under `sender`.
    public var metadata: [String: String]
    /// The actor that said it, or that collected a message; nil where that is not known, as for the lines that a process
    /// of several actors prints.
    public var actor: Actor?
    /// The type of the task that said it.
    public var task: String?
    /// The trace that it was part of.
    public var traceID: String?
    /// How many records a ``Kind/gap`` stands for: those up to its own `sequence`. 0 for everything else.
    public var dropped: UInt64
    /// The process of the program whose work it is part of: the one that spawned the actor or submitted the task, at the
    /// end of the chain of those that spawned and submitted. Nil when that is not known, as in a process that several
    /// programs share, and for what a program itself logs.
    public var driver: PeerID?

    /// How a record came about.
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// A line on standard output.
        case output
        /// A line on standard error.
        case errorOutput
        /// A log statement, by way of ``MeshLogHandler``.
        case log
        /// A message to a `MessageActor`, or a line for a `LoggingActor`.
        case message
        /// A process ended that should not have.
        case crash
        /// Records are missing, because a limit was reached.
        case gap
    }

    /// The `node` of what the collector itself has to say: that records are missing.
    package static let collectorNode = "collector"

    /// The actor that a record is of.
    public struct Actor: Codable, Hashable, Sendable {
        /// Its type, as its program names it.
        public var typeName: String
        /// Its name, if it has one.
        public var name: String?
        /// Its number.
        public var id: UniqueID
        /// Which of its lives it was.
        public var incarnation: UInt64

        /// Describes an actor.
        public init(typeName: String, name: String?, id: UniqueID, incarnation: UInt64) {
            self.typeName = typeName
            self.name = name
            self.id = id
            self.incarnation = incarnation
        }
    }

    /// Makes a record.
    public init(
        node: String, processID: Int32, source: UniqueID, sequence: UInt64, date: Date, level: Logger.Level,
        kind: Kind, text: String, metadata: [String: String] = [:], actor: Actor? = nil, task: String? = nil,
        traceID: String? = nil, dropped: UInt64 = 0, driver: PeerID? = nil
    ) {
        self.node = node
        self.processID = processID
        self.source = source
        self.sequence = sequence
        self.date = date
        self.level = level
        self.kind = kind
        self.text = text
        self.metadata = metadata
        self.actor = actor
        self.task = task
        self.traceID = traceID
        self.dropped = dropped
        self.driver = driver
    }
}
