import FoundationEssentials
public import MeshRuntime

/// Collects messages from anywhere in the mesh, in the order in which they arrive, until somebody takes them.
///
/// No message is lost or delivered twice while the actor lives, and the messages of one sender stay in order.
public distributed actor MessageActor: RemoteActor {
    private var kept: [Message] = []
    private var nextSequence: UInt64 = 0

    /// Makes an empty one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Adds a message. When this returns the message is kept.
    public distributed func add(_ text: String) {
        self.nextSequence += 1
        self.kept.append(Message(text: text, sender: "", sequence: self.nextSequence, date: Date()))
    }

    /// Takes all messages that are kept: each is given out once.
    public distributed func drain() -> [Message] {
        defer { self.kept = [] }
        return self.kept
    }

    /// The messages that are kept, without taking them.
    public distributed func messages() -> [Message] { self.kept }
}
