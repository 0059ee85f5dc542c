import FoundationEssentials
public import MeshRuntime

/// Collects messages from anywhere in the mesh, in the order in which they arrive, until somebody takes them.
///
/// No message is lost or given out twice while the actor lives, and the messages of one sender stay in order.
///
/// It keeps the newest 1,000,000 messages, and at most as much text as half of
/// ``MeshRuntime/MeshSettings/maximumPayload``. When nobody drains it the oldest make room: `dropped()` counts them, a
/// warning is logged, and the gap shows in the `sequence` of those that follow. Streams are not concerned.
public distributed actor MessageActor: RemoteActor {
    private var journal: Journal<Message>
    private var nextSequence: UInt64 = 0

    /// Makes an empty one.
    public init(actorSystem: Mesh) {
        self.actorSystem = actorSystem
        self.journal = Journal(maximumPayload: actorSystem.settings.maximumPayload, logger: actorSystem.logger)
    }

    /// Adds a message. When this returns the message is kept.
    ///
    /// While a reader of a stream is more than 1,024 messages behind, this returns only when it has caught up or was
    /// cut off (see `stream()`); the message has its place by then, and other calls go on.
    ///
    /// - Throws: `payloadTooLarge` for a text that alone is more than the actor keeps.
    public distributed func add(_ text: String) async throws {
        let sender = CallOrigin.current?.description ?? ""
        self.nextSequence += 1
        let message = Message(text: text, sender: sender, sequence: self.nextSequence, date: Date())
        let crowded = try self.journal.add(message, text: text.utf8.count + sender.utf8.count)
        LogOutlet.collected(text, from: sender)
        await waitForRoom(crowded)
    }

    /// Takes all messages that are kept: each is given out once. Streams have them nevertheless.
    public distributed func drain() -> [Message] { self.journal.drain() }

    /// The messages that are kept, without taking them.
    public distributed func messages() -> [Message] { self.journal.entries }

    /// How many messages were dropped because too many were kept.
    public distributed func dropped() -> UInt64 { self.journal.dropped }

    /// A stream of the messages that are kept now, the oldest first, and of all that are added from now on. Reading it
    /// takes nothing from `drain`, and others may read streams of their own.
    ///
    /// A slow reader slows those who add. One that takes nothing while they wait, for twice the lease time (at least
    /// 5 s), is cut off: its iteration throws `slowConsumer`. A reader whose process dies is forgotten at once.
    public distributed func stream() -> MeshStream<Message> { self.journal.stream() }
}

extension MessageActor: ObservableActor {
    /// Everything that takes nothing away.
    public static var observableMethods: Set<String> { ["messages()", "dropped()", "stream()"] }
}
