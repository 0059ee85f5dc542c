/// Rows of text in aligned columns.
struct TextTable {
    struct Column: Equatable, ExpressibleByStringLiteral {
        var title: String
        var isRightAligned = false

        init(stringLiteral title: String) { self.title = title }

        /// A column whose cells are numbers, which end below each other.
        static func numbers(_ title: String) -> Column {
            var column = Column(stringLiteral: title)
            column.isRightAligned = true
            return column
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row with one cell for each column.
    mutating func add(_ cells: [String]) { self.rows.append(cells.map(printable)) }

    /// The lines, the titles first.
    func lines(style: TerminalStyle = .plain) -> [String] {
        let widths = self.columns.indices.map { index in
            self.rows.reduce(self.columns[index].title.count) { max($0, index < $1.count ? $1[index].count : 0) }
        }
        return [style.bold(self.line(self.columns.map(\.title), widths))] + self.rows.map { self.line($0, widths) }
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() where index < widths.count {
            let space = String(repeating: " ", count: widths[index] - cell.count)
            let isLast = index == widths.count - 1
            line += self.columns[index].isRightAligned ? space + cell : isLast ? cell : cell + space
            if !isLast { line += "  " }
        }
        return line
    }
}
