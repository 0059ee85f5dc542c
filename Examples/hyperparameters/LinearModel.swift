/// How a model is trained.
struct Hyperparameters: Codable, Sendable {
    /// How far a step of the descent goes.
    var rate: Double
    /// What large weights cost.
    var decay: Double
}

/// A weighted sum of the features.
struct LinearModel: Codable, Sendable {
    private(set) var weights = [Double](repeating: 0, count: Shard.features)

    func predict(_ row: [Double]) -> Double { zip(self.weights, row).reduce(0) { $0 + $1.0 * $1.1 } }

    func meanSquaredError(on shard: Shard) -> Double {
        let errors = zip(shard.rows, shard.targets).map { $1 - self.predict($0) }
        return errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
    }

    /// Goes once through the shard, a step for each row.
    mutating func descend(on shard: Shard, _ hyperparameters: Hyperparameters) {
        for (row, target) in zip(shard.rows, shard.targets) {
            let error = self.predict(row) - target
            for (index, value) in row.enumerated() {
                let gradient = error * value + hyperparameters.decay * self.weights[index]
                self.weights[index] -= hyperparameters.rate * gradient
            }
        }
    }

    /// The mean of several models.
    static func average(_ models: [LinearModel]) -> LinearModel {
        var average = LinearModel()
        for model in models {
            for (index, weight) in model.weights.enumerated() {
                average.weights[index] += weight / Double(models.count)
            }
        }
        return average
    }
}
