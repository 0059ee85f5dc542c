import SeededRandom

/// A point, and whether it lies in the ring between two circles: what no straight line tells apart.
struct Sample: Codable, Sendable {
    var x: Double
    var y: Double
    /// 1 in the ring, 0 outside of it.
    var label: Double
}

/// So many points, always the same.
func samples(_ count: Int, seed: UInt64) -> [Sample] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in
        let (x, y) = (random.uniform(-1, 1), random.uniform(-1, 1))
        let square = x * x + y * y
        return Sample(x: x, y: y, label: (0.2..<0.75).contains(square) ? 1 : 0)
    }
}
