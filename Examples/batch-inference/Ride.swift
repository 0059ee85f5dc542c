import SeededRandom

/// A ride in a taxi, as a line of a shard file has it.
struct Ride {
    var passengers: Int
    var zone: Int
    var minute: Int
    var miles: Double

    static let header = "passengers,zone,minute,miles"

    var line: String { "\(self.passengers),\(self.zone),\(self.minute),\(self.miles)" }

    /// Nil for a line that is none.
    init?(line: Substring) {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count == 4, let passengers = Int(fields[0]), let zone = Int(fields[1]),
            let minute = Int(fields[2]), let miles = Double(fields[3]),
            (0..<TipModel.zones).contains(zone), (0..<24 * 60).contains(minute)
        else { return nil }
        self.passengers = passengers
        self.zone = zone
        self.minute = minute
        self.miles = miles
    }

    /// Some ride.
    init(using random: inout SeededRandom) {
        self.passengers = 1 + random.below(5)
        self.zone = random.below(TipModel.zones)
        self.minute = random.below(24 * 60)
        self.miles = Double(random.below(200)) / 10
    }
}
