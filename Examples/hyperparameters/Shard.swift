import SeededRandom

/// A part of the data: rows of features, and a target for each.
struct Shard: Codable, Sendable {
    static let features = 20

    private(set) var rows: [[Double]] = []
    private(set) var targets: [Double] = []

    /// So many rows, always the same. A target depends on four of the features alone, and much on chance, so that a
    /// model that is left free learns the chance too.
    init(rows count: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<count {
            let row = (0..<Self.features).map { _ in random.normal() }
            self.rows.append(row)
            self.targets.append(2 * row[0] - row[1] + 0.5 * row[2] + row[3] + 2 * random.normal())
        }
    }
}
