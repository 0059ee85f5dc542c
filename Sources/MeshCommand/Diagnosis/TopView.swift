import ActorMesh
import FoundationEssentials

/// What actors do, from two looks at the mesh: one row for each, the busiest first. A value.
struct TopView {
    /// By what the rows are sorted.
    enum Order: String, CaseIterable {
        case calls
        case mailbox
        case latency
        case processor
        case memory
    }

    /// An actor between the two looks.
    struct Row: Encodable, Equatable {
        var id: String
        var label: String
        var node: String
        var pid: Int32
        /// Calls that ended, each second.
        var callsPerSecond: Double
        var failuresPerSecond: Double
        var running: Int
        var waiting: Int
        /// Of all calls in its life.
        var medianSeconds: Double?
        var p99Seconds: Double?
        /// How much of one processor its process has used, which it may share with other actors; 1 is all of it.
        var processor: Double
        /// What is resident of its process's memory.
        var memoryBytes: UInt64
    }

    /// What the whole mesh does.
    struct Summary: Encodable, Equatable {
        var processes: Int
        var actors: Int
        var callsPerSecond: Double
        var waiting: Int
        var processor: Double
        var memoryBytes: UInt64
        var silent: [String]
    }

    let rows: [Row]
    let summary: Summary

    /// - Parameter earlier: an earlier look; nil: rates are over the whole life, as far as they are known: none.
    init(_ now: MeshStatistics, since earlier: MeshStatistics?, by order: Order = .calls) {
        let seconds = earlier.map { max(0.001, now.date.timeIntervalSince($0.date)) }
        var before: [LifeID: ActorStatistics] = [:]
        for (actor, _) in earlier?.actors ?? [] { before[LifeID(actor)] = actor }
        var used: [PeerID: Duration] = [:]
        for process in earlier?.processes ?? [] { used[process.peer] = process.processorTime }

        func rate(_ now: UInt64, _ before: UInt64?) -> Double {
            guard let seconds else { return 0 }
            return Double(now - min(now, before ?? 0)) / seconds
        }
        func processor(_ process: ProcessStatistics) -> Double {
            guard let seconds, let before = used[process.peer] else { return 0 }
            return max(0, (process.processorTime - before) / .seconds(1)) / seconds
        }

        let rows = now.actors.map { actor, process in
            let then = before[LifeID(actor)]
            return Row(
                id: actor.id.description, label: Self.label(actor), node: process.node, pid: process.processID,
                callsPerSecond: rate(actor.calls, then?.calls), failuresPerSecond: rate(actor.failures, then?.failures),
                running: actor.running, waiting: actor.waiting,
                medianSeconds: actor.latencies.quantile(0.5).map { $0 / .seconds(1) },
                p99Seconds: actor.latencies.quantile(0.99).map { $0 / .seconds(1) },
                processor: processor(process), memoryBytes: process.residentBytes)
        }
        self.rows = rows.sorted { Self.comesFirst($0, $1, order) }
        self.summary = Summary(
            processes: now.processes.count, actors: rows.count,
            callsPerSecond: rows.reduce(0) { $0 + $1.callsPerSecond }, waiting: rows.reduce(0) { $0 + $1.waiting },
            processor: now.processes.reduce(0) { $0 + processor($1) },
            memoryBytes: now.processes.reduce(0) { $0 + $1.residentBytes }, silent: now.silent)
    }

    /// One life of an actor: another begins to count anew.
    private struct LifeID: Hashable {
        let id: UniqueID
        let incarnation: UInt64

        init(_ actor: ActorStatistics) { (self.id, self.incarnation) = (actor.id, actor.incarnation) }
    }

    private static func label(_ actor: ActorStatistics) -> String {
        let type = shortName(ofType: actor.typeName)
        let digits = actor.id.description.prefix(8)
        return actor.name.map { "\(type) \"\($0)\"" } ?? "\(type) (\(digits))"
    }

    private static func comesFirst(_ one: Row, _ other: Row, _ order: Order) -> Bool {
        func key(_ row: Row) -> Double {
            switch order {
            case .calls: row.callsPerSecond
            case .mailbox: Double(row.waiting)
            case .latency: row.p99Seconds ?? 0
            case .processor: row.processor
            case .memory: Double(row.memoryBytes)
            }
        }
        return (key(one), other.label, other.id) > (key(other), one.label, one.id)
    }

    // MARK: As text

    /// The lines for a screen of so many lines and columns; nil: all of them.
    func lines(height: Int? = nil, width: Int? = nil, style: TerminalStyle = .plain) -> [String] {
        let memory = Self.memory(self.summary.memoryBytes)
        var lines = [
            "\(count(self.summary.actors, "actor")) in \(count(self.summary.processes, "process")), "
                + "\(threeDigits(self.summary.callsPerSecond)) calls/s, \(self.summary.waiting) waiting, "
                + "\(threeDigits(self.summary.processor)) processors, \(memory)"
        ]
        if !self.summary.silent.isEmpty {
            lines.append("no answer from: \(self.summary.silent.joined(separator: ", "))")
        }
        lines.append("")
        var table = TextTable([
            "ACTOR", "NODE", .numbers("PID"), .numbers("CALLS/S"), .numbers("FAILED/S"), .numbers("RUN"),
            .numbers("WAIT"), .numbers("P50"), .numbers("P99"), .numbers("CPU"), .numbers("MEMORY"),
        ])
        // The head and the titles take their lines; what does not fit is said in one.
        let room = height.map { max(1, $0 - lines.count - 2) } ?? self.rows.count
        for row in self.rows.prefix(room) { table.add(Self.cells(row)) }
        lines += table.lines(style: style)
        if self.rows.count > room { lines.append("and \(count(self.rows.count - room, "actor")) more") }
        // A terminal would break what is longer than a line, and the screen with it.
        return width.map { width in lines.map { Self.cut($0, to: width) } } ?? lines
    }

    private static func cells(_ row: Row) -> [String] {
        func time(_ seconds: Double?) -> String { seconds.map { Duration.seconds($0).text } ?? "-" }
        return [
            row.label, row.node.isEmpty ? "-" : row.node, "\(row.pid)", threeDigits(row.callsPerSecond),
            row.failuresPerSecond == 0 ? "-" : threeDigits(row.failuresPerSecond), "\(row.running)", "\(row.waiting)",
            time(row.medianSeconds), time(row.p99Seconds), "\(Int((row.processor * 100).rounded()))%",
            Self.memory(row.memoryBytes),
        ]
    }

    private static func memory(_ bytes: UInt64) -> String { "\(threeDigits(Double(bytes) / Double(1 << 20))) MiB" }

    /// Cuts a line to so many columns. What only changes the colour takes none, and is kept.
    static func cut(_ line: String, to width: Int) -> String {
        var (kept, columns, isEscape) = ("", 0, false)
        for character in line {
            if character == "\u{1b}" { isEscape = true }
            if isEscape {
                kept.append(character)
                isEscape = !character.isLetter
                continue
            }
            columns += 1
            if columns < width { kept.append(character) } else if columns == width { kept.append("…") }
        }
        return columns > width ? kept : line
    }
}
