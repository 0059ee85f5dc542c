/// The results of a benchmark.
public struct BenchReport: Sendable {
    /// What was measured.
    public var results: [BenchResult] = []
    /// The workloads that could not be measured.
    public var failures: [String] = []

    /// A JSON array with an object for each result.
    public var json: String {
        let lines = self.results.map { result in
            func field(_ name: String, _ value: Double?) -> String {
                "\"\(name)\": \(value.map(plainNumber) ?? "null")"
            }
            return [
                "\"workload\": \"\(result.workload)\"", "\"unit\": \"\(result.unit)\"", field("median", result.median),
                field("min", result.min), field("max", result.max), field("runs", Double(result.runs)),
                field("baseline", result.baseline), field("ratio", result.ratio),
            ].joined(separator: ", ")
        }
        return lines.isEmpty ? "[]" : "[\n\(lines.map { "  {\($0)}" }.joined(separator: ",\n"))\n]"
    }

    /// A table for people, with the targets and whether they are met.
    public var table: String {
        let targets = Dictionary(Workload.all.map { ($0.name, $0.target) }) { first, _ in first }
        var rows = [["workload", "median", "unit", "min", "max", "runs", "baseline", "ratio", "target", ""]]
        for result in self.results {
            let target = targets[result.workload] ?? nil
            let verdict = target?.isMet(by: result).map { $0 ? "met" : "MISSED" } ?? ""
            rows.append([
                result.workload, number(result.median), result.unit, number(result.min), number(result.max),
                "\(result.runs)", result.baseline.map(number) ?? "–", result.ratio.map(number) ?? "–",
                target?.description ?? "–", verdict,
            ])
        }
        let widths = (0..<10).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { index, cell in
                [1, 3, 4, 5, 6, 7].contains(index) ? padLeft(cell.0, cell.1) : pad(cell.0, cell.1)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

/// A number as JSON has it: whole ones without a fraction.
private func plainNumber(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    return Int(exactly: value).map(String.init) ?? "\(value)"
}

/// A number as people read it: `1,234,567`, `41.3`, `0.152`.
func number(_ value: Double) -> String {
    let magnitude = abs(value)
    let decimals = magnitude >= 100 || value == value.rounded() ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (magnitude * scale).rounded()
    guard scaled < 1e15 else { return "\(value)" }
    let whole = Int(scaled / scale)
    let digits = Array("\(whole)")
    var text = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    guard decimals > 0 else { return text }
    let fraction = "\(Int(scaled) - whole * Int(scale))"
    return "\(text).\(String(repeating: "0", count: decimals - fraction.count))\(fraction)"
}

/// Fills up with spaces on the right.
func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

/// Fills up with spaces on the left.
func padLeft(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}
