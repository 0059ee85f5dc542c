import Glibc
import SeededRandom

/// A network of two layers: rectified hidden units, and one output for each digit.
struct Network {
    private static let hidden = 32
    private static let digits = 10

    /// Of each unit the weights of what it sees, and its bias at the end.
    private var first: [[Double]]
    private var second: [[Double]]

    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        self.first = (0..<Self.hidden).map { _ in (0..<Digits.points).map { _ in 0.15 * random.normal() } + [0] }
        self.second = (0..<Self.digits).map { _ in (0..<Self.hidden).map { _ in 0.2 * random.normal() } + [0] }
    }

    /// The digit that it sees in a picture.
    func digit(in picture: [Double]) -> Int {
        let outputs = self.forward(picture).probabilities
        return outputs.indices.max { outputs[$0] < outputs[$1] } ?? 0
    }

    /// Steps down the gradient of the cross-entropy of one picture.
    mutating func learn(_ picture: [Double], is digit: Int, rate: Double) {
        let (hidden, probabilities) = self.forward(picture)
        var inner = [Double](repeating: 0, count: Self.hidden)
        for output in 0..<Self.digits {
            let error = probabilities[output] - (output == digit ? 1 : 0)
            for unit in 0..<Self.hidden where hidden[unit] > 0 { inner[unit] += error * self.second[output][unit] }
            Self.descend(&self.second[output], error, hidden, rate)
        }
        for unit in 0..<Self.hidden where hidden[unit] > 0 {
            Self.descend(&self.first[unit], inner[unit], picture, rate)
        }
    }

    private func forward(_ picture: [Double]) -> (hidden: [Double], probabilities: [Double]) {
        let hidden = self.first.map { max(0, Self.sum($0, picture)) }
        let outputs = self.second.map { Self.sum($0, hidden) }
        let highest = outputs.max() ?? 0
        let exponentials = outputs.map { exp($0 - highest) }
        let total = exponentials.reduce(0, +)
        return (hidden, exponentials.map { $0 / total })
    }

    private static func sum(_ weights: [Double], _ inputs: [Double]) -> Double {
        var sum = weights[inputs.count]
        for index in inputs.indices { sum += weights[index] * inputs[index] }
        return sum
    }

    private static func descend(_ weights: inout [Double], _ error: Double, _ inputs: [Double], _ rate: Double) {
        for index in inputs.indices { weights[index] -= rate * error * inputs[index] }
        weights[inputs.count] -= rate * error
    }
}
