package import ActorMesh
import Glibc

/// Reads streams that are written elsewhere.
package distributed actor Follower: RemoteActor {
    private var held: MeshStream<Message>?
    private var passed: MeshStream<Int>?

    package init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// All elements of a stream.
    package distributed func all(_ stream: MeshStream<Int>) async throws -> [Int] {
        var numbers: [Int] = []
        for try await number in stream { numbers.append(number) }
        return numbers
    }

    /// Follows an actor's messages and takes the first; then it holds on to the stream.
    package distributed func hold(_ messages: MessageActor) async throws -> String? {
        let stream = try await messages.stream()
        self.held = stream
        return try await self.next()
    }

    /// The text of the next message of the stream that it holds.
    package distributed func next() async throws -> String? {
        guard let held else { return nil }
        for try await message in held { return message.text }
        return nil
    }

    /// Keeps a stream for `take`.
    package distributed func keep(_ stream: MeshStream<Int>) { self.passed = stream }

    /// The stream that was kept, passed on.
    package distributed func take() throws -> MeshStream<Int> {
        defer { self.passed = nil }
        guard let passed else { throw MeshError(.invalidArgument, "nothing was kept") }
        return passed
    }

    package distributed func processID() -> Int32 { getpid() }
}
