import SeededRandom

/// A tree that asks at each node whether a feature is at most some quantile, and says at each leaf the mean of the rows
/// that came there. Splits where that lowers the variance most (Breiman and others, "Classification and Regression
/// Trees", 1984).
struct RegressionTree {
    struct Limits {
        var depth: Int
        /// How few rows a leaf may have.
        var leaf: Int
        /// How many features, drawn anew at each node, are looked at; nil for all.
        var features: Int?
    }

    private enum Node {
        case leaf(Double)
        /// The left child is the next node.
        case split(feature: Int, quantile: UInt8, right: Int)
    }

    private var nodes: [Node] = []
    private let limits: Limits

    /// - Parameters:
    ///   - targets: what to predict, for each row of the table.
    ///   - rows: those to learn from; one may be there more than once.
    init(_ table: Table, _ targets: [Double], rows: [Int], _ limits: Limits, using random: inout SeededRandom) {
        self.limits = limits
        self.grow(table, targets, rows, depth: 0, &random)
    }

    func predict(_ row: Int, of table: Table) -> Double {
        var index = 0
        while true {
            switch self.nodes[index] {
            case .leaf(let mean): return mean
            case .split(let feature, let quantile, let right):
                index = table.columns[feature][row] <= quantile ? index + 1 : right
            }
        }
    }

    private mutating func grow(
        _ table: Table, _ targets: [Double], _ rows: [Int], depth: Int, _ random: inout SeededRandom
    ) {
        var sum = 0.0
        for row in rows { sum += targets[row] }
        let index = self.nodes.count
        self.nodes.append(.leaf(sum / Double(rows.count)))
        guard depth < self.limits.depth, rows.count >= 2 * self.limits.leaf,
            let split = self.bestSplit(table, targets, rows, sum, &random)
        else { return }

        let column = table.columns[split.feature]
        self.grow(table, targets, rows.filter { column[$0] <= split.quantile }, depth: depth + 1, &random)
        self.nodes[index] = .split(feature: split.feature, quantile: split.quantile, right: self.nodes.count)
        self.grow(table, targets, rows.filter { column[$0] > split.quantile }, depth: depth + 1, &random)
    }

    private func bestSplit(
        _ table: Table, _ targets: [Double], _ rows: [Int], _ sum: Double, _ random: inout SeededRandom
    ) -> (feature: Int, quantile: UInt8)? {
        var best: (feature: Int, quantile: UInt8)?
        // The variance is lowest where the sum of sum²/count over both sides is highest.
        var bestScore = sum * sum / Double(rows.count) + 1e-9
        for feature in self.features(of: table, &random) {
            let column = table.columns[feature]
            var counts = [Int](repeating: 0, count: Table.quantiles)
            var sums = [Double](repeating: 0, count: Table.quantiles)
            for row in rows {
                let quantile = Int(column[row])
                counts[quantile] += 1
                sums[quantile] += targets[row]
            }
            var (left, leftSum) = (0, 0.0)
            for quantile in 0..<Table.quantiles - 1 {
                left += counts[quantile]
                leftSum += sums[quantile]
                let right = rows.count - left
                guard left >= self.limits.leaf, right >= self.limits.leaf else { continue }
                let rightSum = sum - leftSum
                let score = leftSum * leftSum / Double(left) + rightSum * rightSum / Double(right)
                if score > bestScore { (bestScore, best) = (score, (feature, UInt8(quantile))) }
            }
        }
        return best
    }

    private func features(of table: Table, _ random: inout SeededRandom) -> [Int] {
        var features = Array(table.columns.indices)
        guard let wanted = self.limits.features else { return features }
        while features.count > wanted { features.remove(at: random.below(features.count)) }
        return features
    }
}
