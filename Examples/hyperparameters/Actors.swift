import ActorMesh

/// Trains on one shard.
distributed actor Trainer: RemoteActor {
    struct Arguments: Codable, Sendable {
        var shard: ObjectRef<Shard>
        var hyperparameters: Hyperparameters
    }

    private let shard: Shard
    private let hyperparameters: Hyperparameters

    init(_ arguments: Arguments, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        self.shard = try await arguments.shard.value
        self.hyperparameters = arguments.hyperparameters
    }

    /// Goes on from a model. Nothing of it is kept here, so that a trainer that was started again does as well.
    distributed func fit(_ model: LinearModel) -> LinearModel {
        var model = model
        model.descend(on: self.shard, self.hyperparameters)
        return model
    }
}

/// Trains one model on all shards, with one set of hyperparameters: has a trainer for each shard, answers for them, and
/// averages what they have learnt.
distributed actor ModelSupervisor: Supervisor {
    static var supervision: Supervision { Supervision(strategy: .oneForOne) }

    struct Arguments: Codable, Sendable {
        var shards: [ObjectRef<Shard>]
        var hyperparameters: Hyperparameters
    }

    private let trainers: [Trainer]

    init(_ arguments: Arguments, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        var trainers: [Trainer] = []
        for shard in arguments.shards {
            let part = Trainer.Arguments(shard: shard, hyperparameters: arguments.hyperparameters)
            trainers.append(try await actorSystem.spawn(Trainer.self, part))
        }
        self.trainers = trainers
    }

    /// In each round all trainers go on from the same model, side by side.
    distributed func fit(rounds: Int) async throws -> LinearModel {
        var model = LinearModel()
        for _ in 0..<rounds {
            let last = model
            var models: [ObjectRef<LinearModel>] = []
            for trainer in self.trainers {
                models.append(try await self.actorSystem.submit { try await trainer.fit(last) })
            }
            model = LinearModel.average(try await self.actorSystem.get(models))
        }
        return model
    }
}
