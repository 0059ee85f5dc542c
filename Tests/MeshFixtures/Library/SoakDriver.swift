package import ActorMesh
import Glibc

/// Does everything that a mesh is for, again and again, and leaves nothing behind: actors in processes of their own and
/// shared ones, calls, messages, streams, tasks, handles that are passed on, ends of every kind.
///
/// It does a round for each line that it reads from its input and prints `round` when that is done and everything that
/// it made has ended.
package struct SoakDriver: Sendable {
    private let mesh: Mesh

    /// Makes one.
    package init(_ mesh: Mesh) { self.mesh = mesh }

    /// Does rounds until its input ends.
    package func run() async throws {
        self.say("ready")
        var number = 0
        while let line = readLine() {
            number += 1
            try await self.round(number, count: Int(line) ?? 1)
            self.say("round")
        }
    }

    private func say(_ text: String) {
        print(text)
        fflush(nil)
    }

    /// So many turns, and nothing of them is left when it returns.
    package func round(_ number: Int, count: Int) async throws {
        for turn in 0..<count { try await self.turn("\(number).\(turn)") }
        while try await self.mesh.actors().contains(where: { $0.ownerProcess == self.mesh.address.peer }) {
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func turn(_ name: String) async throws {
        let mesh = self.mesh
        let messages = try await mesh.spawn(MessageActor.self, options: ActorOptions(placement: .shared))
        let echo = try await mesh.spawn(Echo.self)
        var shared: [Echo] = []
        for index in 0..<10 {
            shared.append(
                try await mesh.spawn(
                    Echo.self, options: ActorOptions(name: "soak-\(name)-\(index)", placement: .shared)))
        }
        // A reader, and many writers.
        let stream = try await messages.stream()
        let reader = Task {
            var count = 0
            for try await _ in stream {
                count += 1
                if count == 100 { break }
            }
            return count
        }
        for index in 0..<100 { try await mesh.tell { try await messages.add("\(index)") } }
        guard try await reader.value == 100 else { throw MeshError(.systemFailure, "The stream lost messages.") }
        // Calls, small and large, and pipelined.
        let text = String(repeating: "x", count: 10_000)
        for _ in 0..<50 { _ = try await echo.text("hello") }
        guard try await echo.text(text) == text else { throw MeshError(.systemFailure, "The echo is another.") }
        var results: [ObjectRef<String>] = []
        for _ in 0..<200 { results.append(try await mesh.submit { try await echo.text("pipelined") }) }
        _ = try await mesh.get(results)
        // Tasks with handles.
        let squares = try await mesh.submit(SoakTask(echo: echo, others: shared))
        _ = try await squares.value
        // Ends: killed, stopped, and let go.
        try await mesh.kill(echo)
        try await mesh.stop(shared[0])
        try await mesh.kill(shared[1])
    }
}

/// Calls the actors whose handles it was given.
struct SoakTask: RemoteTask {
    var echo: Echo
    var others: [Echo]

    func run(on mesh: Mesh) async throws -> Int {
        for other in self.others { _ = try await other.text("from a task") }
        return try await self.echo.text("from a task").count
    }
}
