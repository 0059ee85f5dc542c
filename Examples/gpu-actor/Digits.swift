import SeededRandom

/// Pictures of digits, eight by eight points, each a little shifted and with much noise.
struct Digits: Codable, Sendable {
    static let points = 64

    private(set) var pictures: [[Double]] = []
    private(set) var labels: [Int] = []

    /// So many pictures, always the same.
    init(count: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<count {
            let digit = random.below(10)
            let (down, right) = (random.below(2), 1 + random.below(2))
            var picture = (0..<Self.points).map { _ in 0.2 * random.normal() }
            for (row, line) in Self.shapes[digit].enumerated() {
                for (column, point) in line.enumerated() where point == "#" {
                    picture[(row + down) * 8 + column + right] += 1
                }
            }
            self.pictures.append(picture)
            self.labels.append(digit)
        }
    }

    private static let shapes: [[String]] = [
        ["####", "#  #", "#  #", "#  #", "#  #", "####"],
        ["  # ", " ## ", "  # ", "  # ", "  # ", " ###"],
        ["####", "   #", "####", "#   ", "#   ", "####"],
        ["####", "   #", " ###", "   #", "   #", "####"],
        ["#  #", "#  #", "####", "   #", "   #", "   #"],
        ["####", "#   ", "####", "   #", "   #", "####"],
        ["####", "#   ", "####", "#  #", "#  #", "####"],
        ["####", "   #", "  # ", "  # ", " #  ", " #  "],
        ["####", "#  #", "####", "#  #", "#  #", "####"],
        ["####", "#  #", "####", "   #", "   #", "####"],
    ]
}
