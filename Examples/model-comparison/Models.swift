import SeededRandom

/// The kinds of models that are compared.
enum Model: String, Codable, CaseIterable, Sendable {
    case decisionTree = "decision tree"
    case randomForest = "random forest"
    case boostedTrees = "gradient-boosted trees"

    /// Learns from the rows to learn from; returns the error on those to test with.
    func meanSquaredError(on table: Table) -> Double {
        switch self {
        case .decisionTree: testTree(table, depth: 8)
        case .randomForest: testForest(table, trees: 16, depth: 10)
        case .boostedTrees: testBoosting(table, trees: 40, depth: 4, rate: 0.2)
        }
    }
}

/// One tree that learns from all rows.
private func testTree(_ table: Table, depth: Int) -> Double {
    var random = SeededRandom(seed: 1)
    let limits = RegressionTree.Limits(depth: depth, leaf: 10)
    let tree = RegressionTree(table, table.values, rows: table.training, limits, using: &random)
    return table.meanSquaredError { tree.predict($0, of: table) }
}

/// The mean of many deep trees. Each learns from rows drawn with replacement, and looks at each node at half of the
/// features (Breiman, "Random forests", 2001).
private func testForest(_ table: Table, trees count: Int, depth: Int) -> Double {
    var random = SeededRandom(seed: 2)
    let limits = RegressionTree.Limits(depth: depth, leaf: 5, features: table.columns.count / 2)
    let trees = (0..<count).map { _ in
        let rows = table.training.map { _ in table.training[random.below(table.training.count)] }
        return RegressionTree(table, table.values, rows: rows, limits, using: &random)
    }
    return table.meanSquaredError { row in
        trees.reduce(0) { $0 + $1.predict(row, of: table) } / Double(trees.count)
    }
}

/// The sum of many shallow trees. Each learns what the ones before it have left over, and a part of what it says is
/// added (Friedman, "Greedy function approximation: a gradient boosting machine", 2001).
private func testBoosting(_ table: Table, trees count: Int, depth: Int, rate: Double) -> Double {
    var random = SeededRandom(seed: 3)
    let limits = RegressionTree.Limits(depth: depth, leaf: 10)
    var left = table.values
    for _ in 0..<count {
        let tree = RegressionTree(table, left, rows: table.training, limits, using: &random)
        for row in left.indices { left[row] -= rate * tree.predict(row, of: table) }
    }
    // What is left over of the value is what was not predicted.
    return table.meanSquaredError { table.values[$0] - left[$0] }
}
