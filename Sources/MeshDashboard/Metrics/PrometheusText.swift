/// Metrics in the text format of Prometheus, version 0.0.4.
///
/// See <https://prometheus.io/docs/instrumenting/exposition_formats/>.
struct PrometheusText {
    /// What kinds of metrics there are.
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    private(set) var text = ""

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Begins a metric. Its samples follow.
    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// Adds a sample.
    mutating func add(_ name: String, _ value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
        self.text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0)=\"\(Self.escape($1))\"" }
            self.text += "{\(pairs.joined(separator: ","))}"
        }
        self.text += " \(Self.number(value))\n"
    }

    /// Adds a whole number.
    mutating func add(_ name: String, _ value: some BinaryInteger, _ labels: KeyValuePairs<String, String> = [:]) {
        self.add(name, Double(value), labels)
    }

    /// A number without an exponent where it has none to show, which keeps whole numbers whole.
    static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
    }

    /// In a value of a label, backslashes, quotes and line ends are written out.
    static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
