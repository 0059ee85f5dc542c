public import FoundationEssentials

// What was said, and what was done.

extension DashboardAPI {
    /// `GET /api/v1/logs`
    public struct Logs: Hashable, Sendable, Codable {
        /// The newest that were asked for, the newest last.
        public var records: [Record]
    }

    /// A record of the log. Its keys are those of `mesh logs --format json`. What stands in it is what somebody else said:
    /// it may hold any characters.
    public struct Record: Hashable, Sendable, Codable {
        /// When it was said, to the millisecond.
        public var date: String
        /// The node whose worker said it.
        public var node: String
        /// The process that said it.
        public var process: Int32
        /// That process in its one life.
        public var source: String
        /// Counts what the source said, from 1.
        public var sequence: UInt64
        /// output, errorOutput, log, message, crash, gap.
        public var kind: String
        /// trace, debug, info, notice, warning, error, critical.
        public var level: String
        /// What was said.
        public var text: String
        /// What was said beside it.
        public var metadata: [String: String]
        /// The actor that said it.
        public var actor: Speaker?
        /// The type of the task that said it.
        public var task: String?
        /// The trace that it was part of.
        public var traceID: String?
        /// How many records a gap stands for.
        public var dropped: UInt64
        /// The process of the program for which it was said.
        public var driver: String?
    }

    /// An actor that said something.
    public struct Speaker: Hashable, Sendable, Codable {
        /// Its number.
        public var id: String
        /// Its type.
        public var type: String
        /// Its name.
        public var name: String?
        /// Which of its lives it was.
        public var incarnation: UInt64
    }

    /// `GET /api/v1/statistics`
    public struct Statistics: Hashable, Sendable, Codable {
        /// When this was so.
        public var date: Date
        /// The broker first, then nodes with their workers, then drivers.
        public var processes: [Process]
        /// Who did not answer in time, for people.
        public var silent: [String]
    }

    /// What a process has done since it started.
    public struct Process: Hashable, Sendable, Codable {
        /// Its node; empty for none.
        public var node: String
        /// Its number.
        public var pid: Int32
        /// broker, node, worker, driver.
        public var role: String
        /// How much processor time it has used.
        public var processorSeconds: Double
        /// Bytes of its memory that are resident.
        public var residentBytes: UInt64
        /// Bytes that it has sent to other processes.
        public var bytesSent: UInt64
        /// Bytes that it has got from them.
        public var bytesReceived: UInt64
        /// How many calls it has made that have not ended.
        public var callsOutstanding: Int
        /// How many tasks run in it.
        public var tasks: Int
        /// The actors that live in it.
        public var actors: [ActorStatistics]
    }

    /// What an actor has done in its present life.
    public struct ActorStatistics: Hashable, Sendable, Codable {
        /// Its number.
        public var id: String
        /// Its type.
        public var type: String
        /// Its name.
        public var name: String?
        /// Its life, counted from 1.
        public var incarnation: UInt64
        /// How many calls have ended, those that failed included.
        public var calls: UInt64
        /// How many of them ended with an error.
        public var failures: UInt64
        /// How many calls run now.
        public var running: Int
        /// How many wait in its mailbox.
        public var waiting: Int
        /// For how long calls have run, all together.
        public var busySeconds: Double
        /// So long half of its calls ran at most, without the time that they waited; not there before the first.
        public var medianSeconds: Double?
        /// So long nine of ten ran at most.
        public var p90Seconds: Double?
        /// So long 99 of 100 ran at most.
        public var p99Seconds: Double?
    }
}
