import ActorMesh

@main
struct HyperparameterSearch: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        var shards: [ObjectRef<Shard>] = []
        for seed in 1...3 { shards.append(try await mesh.put(Shard(rows: 15, seed: UInt64(seed)))) }
        let validation = Shard(rows: 500, seed: 4)

        var supervisors: [ModelSupervisor] = []
        var models: [ObjectRef<LinearModel>] = []
        for hyperparameters in Self.grid {
            let supervisor = try await mesh.spawn(
                ModelSupervisor.self, .init(shards: shards, hyperparameters: hyperparameters))
            supervisors.append(supervisor)
            models.append(try await mesh.submit { try await supervisor.fit(rounds: 20) })
        }

        var best: (hyperparameters: Hyperparameters, error: Double)?
        for (hyperparameters, model) in zip(Self.grid, try await mesh.get(models)) {
            let error = model.meanSquaredError(on: validation)
            print("\(hyperparameters): mean squared error \(thousandths(error))")
            if error < best?.error ?? .infinity { best = (hyperparameters, error) }
        }
        if let best { print("best: \(best.hyperparameters)") }
        print("\(try await mesh.actors().count) actors, of which this program knows \(supervisors.count)")
    }

    static var grid: [Hyperparameters] {
        [0.003, 0.03].flatMap { rate in [0, 0.2].map { Hyperparameters(rate: rate, decay: $0) } }
    }

    static func thousandths(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}

extension Hyperparameters: CustomStringConvertible {
    var description: String { "rate \(self.rate), decay \(self.decay)" }
}
