import Glibc
import SeededRandom

/// A network of two layers: hidden units with the hyperbolic tangent, and one logistic output.
struct Network: Codable, Sendable {
    static let hidden = 16

    /// Of each hidden unit those of x and y, its bias, and its weight for the output; at the end the output's bias.
    private(set) var weights: [Double]

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        self.weights = (0..<4 * Self.hidden).map { _ in random.normal() } + [0]
    }

    /// One step against a gradient.
    mutating func descend(_ gradient: [Double], rate: Double) {
        for index in self.weights.indices { self.weights[index] -= rate * gradient[index] }
    }

    /// The mean cross-entropy.
    func loss(on samples: [Sample]) -> Double {
        let losses = samples.map { sample in
            let output = self.forward(sample).output
            return -log(max(1e-12, sample.label == 1 ? output : 1 - output))
        }
        return losses.reduce(0, +) / Double(samples.count)
    }

    /// The part of the samples that it gets right.
    func accuracy(on samples: [Sample]) -> Double {
        Double(samples.count { (self.forward($0).output > 0.5) == ($0.label == 1) }) / Double(samples.count)
    }

    /// Of the mean cross-entropy, by the weights.
    func gradient(on samples: [Sample]) -> [Double] {
        var gradient = [Double](repeating: 0, count: self.weights.count)
        for sample in samples {
            let (hidden, output) = self.forward(sample)
            let error = (output - sample.label) / Double(samples.count)
            for (unit, activation) in hidden.enumerated() {
                let inner = error * self.weights[4 * unit + 3] * (1 - activation * activation)
                gradient[4 * unit] += inner * sample.x
                gradient[4 * unit + 1] += inner * sample.y
                gradient[4 * unit + 2] += inner
                gradient[4 * unit + 3] += error * activation
            }
            gradient[4 * Self.hidden] += error
        }
        return gradient
    }

    private func forward(_ sample: Sample) -> (hidden: [Double], output: Double) {
        var sum = self.weights[4 * Self.hidden]
        let hidden = (0..<Self.hidden).map { unit in
            let first = 4 * unit
            let input = self.weights[first] * sample.x + self.weights[first + 1] * sample.y + self.weights[first + 2]
            let activation = tanh(input)
            sum += self.weights[first + 3] * activation
            return activation
        }
        return (hidden, 1 / (1 + exp(-sum)))
    }
}
