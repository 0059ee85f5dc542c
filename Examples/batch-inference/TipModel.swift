import SeededRandom

/// Tells whether a ride will end with a tip: from where and when it starts, who rides, and how far. Large enough, with
/// 12,720 weights, for the mesh to keep it in memory that all processes of a host share.
struct TipModel: Codable, Sendable {
    static let zones = 265
    static let times = 48

    private let bias: [Double]
    private let perPassenger: Double
    private let perMile: Double

    /// Stands for one that was trained.
    init(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        self.bias = (0..<Self.zones * Self.times).map { _ in random.normal() - 1.5 }
        self.perPassenger = 0.4
        self.perMile = 0.05
    }

    func expectsTip(_ ride: Ride) -> Bool {
        let bias = self.bias[ride.zone * Self.times + ride.minute / 30]
        return bias + self.perPassenger * Double(ride.passengers) + self.perMile * ride.miles > 0
    }
}
