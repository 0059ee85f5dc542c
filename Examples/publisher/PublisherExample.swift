import ActorMesh
import Glibc

@main
struct PublisherExample: MeshProgram {
    static let help = """
        Posts messages from tasks, which run on all nodes, to the MessageActor "messages".

          --forever   go on until the program is ended, whatever dies meanwhile (default: one round)
        """

    static func run(_ mesh: Mesh) async throws {
        if CommandLine.arguments.contains("--forever") {
            await Self.publishForEver(mesh)
        } else {
            try await Self.publishOnce(mesh)
        }
    }

    /// The collector, for everybody and for good: it outlives this program, and the node that it is on.
    private static func collector(_ mesh: Mesh) async throws -> MessageActor {
        let options = ActorOptions(lifetime: .detached, maxRestarts: .unlimited)
        return try await mesh.findOrSpawn(MessageActor.self, named: "messages", options: options)
    }

    private static func publishOnce(_ mesh: Mesh) async throws {
        let messages = try await Self.collector(mesh)
        var published: [ObjectRef<Done>] = []
        for worker in 0..<3 {
            let task = Publish(messages: messages, worker: worker, round: 0, pause: .zero)
            published.append(try await mesh.submit(task))
        }
        _ = try await mesh.get(published)
        let places = Set(try await messages.messages().compactMap { $0.text.split(separator: " ").last })
        print("3 workers, \(try await messages.drain().count) messages, from \(places.count) host.")
    }

    private static func publishForEver(_ mesh: Mesh) async {
        Self.say("3 workers publish to \"messages\"; tail it with: mesh messages messages --follow")
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<3 { group.addTask { await Self.publishForEver(mesh, worker: worker) } }
        }
    }

    private static func publishForEver(_ mesh: Mesh, worker: Int) async {
        var round = 0
        var trouble: String?
        while !Task.isCancelled {
            do {
                let messages = try await Self.collector(mesh)
                let task = Publish(messages: messages, worker: worker, round: round, pause: .milliseconds(200))
                _ = try await mesh.get(try await mesh.submit(task))
                round += 1
                if trouble != nil { Self.say("worker \(worker) goes on") }
                trouble = nil
            } catch {
                // A node or the broker is away, or the collector is being started again elsewhere.
                let reason = "\(error)"
                if trouble != reason { Self.say("worker \(worker) tries again: \(reason)") }
                trouble = reason
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Prints a line that is read at once, also when the output is no terminal.
    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
