import ActorMesh

/// An experiment that reports each of its iterations to an actor that keeps the logs of all.
struct Experiment: RemoteTask {
    var index: Int
    var logger: LoggingActor

    func run(on mesh: Mesh) async throws -> Done {
        // Goes on as soon as a line is on its way, and makes sure at the end that all have been kept.
        var lines: [ObjectRef<Done>] = []
        for iteration in 0..<60 {
            lines.append(try await mesh.submit { try await self.logger.log(self.index, "On iteration \(iteration)") })
        }
        _ = try await mesh.get(lines)
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
