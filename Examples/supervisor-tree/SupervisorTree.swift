import ActorMesh

/// Trains on one part of the data.
distributed actor Trainer: RemoteActor {
    struct Arguments: Codable, Sendable {
        var hyperparameter: Int
        var data: Int
    }

    private let arguments: Arguments

    init(_ arguments: Arguments, actorSystem: Mesh) {
        self.actorSystem = actorSystem
        self.arguments = arguments
    }

    distributed func fit() -> Int { self.arguments.data * self.arguments.hyperparameter }
}

/// Has one trainer for each part of the data, and answers for all of them.
distributed actor Supervisor: RemoteActor {
    struct Arguments: Codable, Sendable {
        var hyperparameter: Int
        var data: [Int]
    }

    private let trainers: [Trainer]

    init(_ arguments: Arguments, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        var trainers: [Trainer] = []
        for data in arguments.data {
            let part = Trainer.Arguments(hyperparameter: arguments.hyperparameter, data: data)
            trainers.append(try await actorSystem.spawn(Trainer.self, part))
        }
        self.trainers = trainers
    }

    /// Trains on all parts side by side.
    distributed func fit() async throws -> [Int] {
        var models: [ObjectRef<Int>] = []
        for trainer in self.trainers { models.append(try await self.actorSystem.submit { try await trainer.fit() }) }
        return try await self.actorSystem.get(models)
    }
}

@main
struct SupervisorTree: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        let data = [1, 2, 3]
        let one = try await mesh.spawn(Supervisor.self, .init(hyperparameter: 1, data: data))
        let two = try await mesh.spawn(Supervisor.self, .init(hyperparameter: 2, data: data))

        async let model1 = one.fit()
        async let model2 = two.fit()
        try await print(model1)
        try await print(model2)
        print("\(try await mesh.actors().count) actors")
    }
}
