import ActorMesh

/// An experiment that reports each of its iterations to an actor that keeps the logs of all.
struct Experiment: RemoteTask {
    var index: Int
    var logger: LoggingActor

    func run(on mesh: Mesh) async throws -> Done {
        for iteration in 0..<60 {
            // One-way: the experiment goes on as soon as the message is accepted.
            try await mesh.tell { try await self.logger.log(self.index, "On iteration \(iteration)") }
        }
        return Done()
    }
}

@main
struct Experiments: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        let logger = try await mesh.spawn(LoggingActor.self)
        var experiments: [ObjectRef<Done>] = []
        for index in 0..<3 { experiments.append(try await mesh.submit(Experiment(index: index, logger: logger))) }
        _ = try await mesh.get(experiments)

        for (index, lines) in try await logger.logs().sorted(by: { $0.key < $1.key }) {
            print("Experiment \(index): \(lines.count) lines, from \"\(lines.first ?? "")\" to \"\(lines.last ?? "")\"")
        }
    }
}
