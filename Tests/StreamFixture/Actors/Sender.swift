public import ActorMesh
import Glibc

/// An actor that publishes messages.
public distributed actor Sender: RemoteActor {
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    public distributed func send(_ text: String, to messages: MessageActor) async throws {
        try await messages.add(text)
    }

    public distributed func processID() -> Int32 { getpid() }
}
