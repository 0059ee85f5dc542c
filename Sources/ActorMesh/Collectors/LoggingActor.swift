public import FoundationEssentials
public import MeshRuntime

/// Collects log lines from anywhere in the mesh, each under an index: a worker's number, a step, whatever the program
/// counts by.
///
/// Limits are those of ``MessageActor``: the newest 1,000,000 lines are kept, what had to make room is counted.
public distributed actor LoggingActor: RemoteActor {
    private var journal: Journal<LogLine>
    private var nextSequence: UInt64 = 0

    /// Makes an empty one.
    public init(actorSystem: Mesh) {
        self.actorSystem = actorSystem
        self.journal = Journal(maximumPayload: actorSystem.settings.maximumPayload, logger: actorSystem.logger)
    }

    /// Adds a line. When this returns the line is kept; for slow readers see ``MessageActor/add(_:)``.
    ///
    /// - Throws: `payloadTooLarge` for a line that alone is more than the actor keeps.
    public distributed func log(_ index: Int, _ message: String) async throws {
        let sender = CallOrigin.current?.description ?? ""
        self.nextSequence += 1
        let line = LogLine(
            index: index, message: message, sender: sender, sequence: self.nextSequence, date: Date())
        let crowded = try self.journal.add(line, text: message.utf8.count + sender.utf8.count)
        LogOutlet.collected(message, from: sender, metadata: [("index", "\(index)")])
        await waitForRoom(crowded)
    }

    /// The lines that are kept, by their index, each in the order of arrival. They stay.
    public distributed func logs() -> [Int: [String]] {
        Dictionary(grouping: self.journal.entries, by: \.index).mapValues { $0.map(\.message) }
    }

    /// How many lines were dropped because too many were kept.
    public distributed func dropped() -> UInt64 { self.journal.dropped }

    /// A stream of the lines that are kept now and of all that are logged from now on; see ``MessageActor/stream()``.
    public distributed func stream() -> MeshStream<LogLine> { self.journal.stream() }
}

extension LoggingActor: ObservableActor {
    /// Everything that takes nothing away.
    public static var observableMethods: Set<String> { ["logs()", "dropped()", "stream()"] }
}

/// A line that a ``LoggingActor`` has collected.
public struct LogLine: Codable, Hashable, Sendable {
    /// What it was logged under.
    public var index: Int
    /// What was said.
    public var message: String
    /// Who said it; see ``Message/sender``.
    public var sender: String
    /// Counts the lines of the collecting actor, from 1.
    public var sequence: UInt64
    /// When it arrived.
    public var date: Date

    /// Makes a line.
    public init(index: Int, message: String, sender: String, sequence: UInt64, date: Date) {
        self.index = index
        self.message = message
        self.sender = sender
        self.sequence = sequence
        self.date = date
    }
}
