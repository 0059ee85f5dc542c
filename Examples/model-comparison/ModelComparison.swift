import ActorMesh

/// Trains one model.
distributed actor Trainer: RemoteActor {
    struct Arguments: Codable, Sendable {
        var model: Model
        var houses: ObjectRef<Houses>
    }

    struct Score: Codable, Sendable {
        var model: Model
        var meanSquaredError: Double
        var time: Duration
    }

    private let model: Model
    private let table: Table

    /// Reads the table, which all trainers of a host share, from where it lies.
    init(_ arguments: Arguments, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        self.model = arguments.model
        self.table = Table(try await arguments.houses.value)
    }

    distributed func train() -> Score {
        var error = 0.0
        let time = ContinuousClock().measure { error = self.model.meanSquaredError(on: self.table) }
        return Score(model: self.model, meanSquaredError: error, time: time)
    }
}

/// Has a trainer for each model, and is all that the driver deals with.
distributed actor Comparison: Supervisor {
    static var supervision: Supervision { Supervision(strategy: .oneForOne) }

    private let trainers: [Trainer]

    init(_ houses: ObjectRef<Houses>, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        var trainers: [Trainer] = []
        for model in Model.allCases {
            trainers.append(try await actorSystem.spawn(Trainer.self, .init(model: model, houses: houses)))
        }
        self.trainers = trainers
    }

    /// Trains all models side by side; the best one is first.
    distributed func scores() async throws -> [Trainer.Score] {
        var scores: [ObjectRef<Trainer.Score>] = []
        for trainer in self.trainers { scores.append(try await self.actorSystem.submit { try await trainer.train() }) }
        return try await self.actorSystem.get(scores).sorted { $0.meanSquaredError < $1.meanSquaredError }
    }
}

@main
struct ModelComparison: MeshProgram {
    static let help = "Compares three models of what houses cost.\n\n  --times  say how long each took to train"

    static func run(_ mesh: Mesh) async throws {
        let houses = try await mesh.put(Houses(count: 20_640, seed: 1997))
        let comparison = try await mesh.spawn(Comparison.self, houses)
        print("Mean squared errors on houses that the models have not seen:")
        for score in try await comparison.scores() {
            let thousandths = (score.meanSquaredError * 1000).rounded() / 1000
            let time = CommandLine.arguments.contains("--times") ? " (\(score.time))" : ""
            print("  \(thousandths)  \(score.model.rawValue)\(time)")
        }
        print("\(try await mesh.actors().count) actors")
    }
}
