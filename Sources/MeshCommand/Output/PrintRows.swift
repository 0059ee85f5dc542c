import ActorMesh
import FoundationEssentials

/// Something that can be a row of a table.
protocol TableRow {
    static var columns: [TextTable.Column] { get }
    var cells: [String] { get }
}

/// Prints rows as a table for people, or as one JSON array for programs.
func printRows<Row: TableRow & Encodable>(_ rows: [Row], as format: FormatOptions.Format, empty: String) throws {
    switch format {
    case .json: say(try jsonText(rows, isPretty: true), to: 1)
    case .text where rows.isEmpty: say(empty, to: 1)
    case .text:
        var table = TextTable(Row.columns)
        for row in rows { table.add(row.cells) }
        for line in table.lines(style: .standardOutput) { say(line, to: 1) }
    }
}

/// JSON with its keys in order.
func jsonText(_ value: some Encodable, isPretty: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
