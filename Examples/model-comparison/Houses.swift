import SeededRandom

/// Blocks of houses and what a house of each costs: a column for each feature, in the manner of the California housing
/// data (Pace and Barry, "Sparse spatial autoregressions", 1997), but made up.
struct Houses: Codable, Sendable {
    static let features = ["income", "age", "rooms", "bedrooms", "population", "household", "latitude", "longitude"]

    private(set) var columns: [[Double]]
    /// In units of 100,000 dollars.
    private(set) var values: [Double] = []

    var count: Int { self.values.count }

    /// So many blocks, always the same.
    init(count: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        self.columns = Self.features.map { _ in [] }
        for _ in 0..<count {
            let block = Self.block(&random)
            for (feature, value) in block.enumerated() { self.columns[feature].append(value) }
            self.values.append(Self.value(of: block) + 0.4 * random.normal())
        }
    }

    private static func block(_ random: inout SeededRandom) -> [Double] {
        // Few are rich.
        let income = 0.5 + 9 * random.uniform() * random.uniform()
        let rooms = 3 + 0.4 * income + random.normal()
        return [
            income, random.uniform(1, 52), rooms, 0.2 * rooms + 0.1 * random.normal(), random.uniform(100, 3000),
            random.uniform(1.5, 5), random.uniform(32.5, 42), random.uniform(-124.3, -114.3),
        ]
    }

    /// Not linear, and what one feature is worth depends on others: something for trees to find.
    private static func value(of block: [Double]) -> Double {
        let (income, age, household) = (block[0], block[1], block[5])
        let (latitude, longitude) = (block[6], block[7])
        /// Near 1 in a city, falling with the distance from it.
        func nearness(_ cityLatitude: Double, _ cityLongitude: Double) -> Double {
            let (north, east) = (latitude - cityLatitude, longitude - cityLongitude)
            return 1 / (1 + north * north + east * east)
        }
        let city = nearness(34, -118.2) + nearness(37.8, -122.4)
        let byTheSea = longitude < -114.3 - 0.9 * (latitude - 32.5) ? 0.6 : 0
        let old = age > 35 && city > 0.2 ? 0.5 : 0
        return 0.3 + 0.4 * income + (1 + 0.2 * income) * city + byTheSea + old - (household > 3.5 ? 0.4 : 0)
    }
}
