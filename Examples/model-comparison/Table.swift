/// A table as trees want it: of each feature only which of 32 quantiles a value lies in, so that a tree has few places
/// where it can split.
struct Table {
    static let quantiles = 32

    let columns: [[UInt8]]
    let values: [Double]
    /// The rows to learn from, and every fifth one to test with.
    let training: [Int]
    let test: [Int]

    init(_ houses: Houses) {
        let training = (0..<houses.count).filter { $0 % 5 != 0 }
        self.training = training
        self.test = (0..<houses.count).filter { $0 % 5 == 0 }
        self.values = houses.values
        self.columns = houses.columns.map { column in
            let thresholds = Self.thresholds(of: training.map { column[$0] })
            return column.map { Self.quantile(of: $0, thresholds) }
        }
    }

    /// The mean of the squared errors over the rows to test with.
    func meanSquaredError(_ predict: (_ row: Int) -> Double) -> Double {
        let errors = self.test.map { self.values[$0] - predict($0) }
        return errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
    }

    private static func thresholds(of values: [Double]) -> [Double] {
        let sorted = values.sorted()
        return (1..<Self.quantiles).map { sorted[$0 * sorted.count / Self.quantiles] }
    }

    /// How many thresholds are not above the value.
    private static func quantile(of value: Double, _ thresholds: [Double]) -> UInt8 {
        var (low, high) = (0, thresholds.count)
        while low < high {
            let middle = (low + high) / 2
            if thresholds[middle] <= value { low = middle + 1 } else { high = middle }
        }
        return UInt8(low)
    }
}
