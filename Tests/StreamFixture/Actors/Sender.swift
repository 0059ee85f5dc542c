package import ActorMesh
import Glibc

/// An actor that publishes messages.
package distributed actor Sender: RemoteActor {
    package init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    package distributed func send(_ text: String, to messages: MessageActor) async throws {
        try await messages.add(text)
    }

    package distributed func open(_ gate: Gate) async throws { try await gate.open() }

    package distributed func processID() -> Int32 { getpid() }
}
