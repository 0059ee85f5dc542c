import ActorMesh
import ArgumentParser
import FoundationEssentials
import Logging
import MeshCore

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Prints what the processes of a mesh said: output, log records, messages, crashes.",
        discussion: """
            Also of actors, nodes and earlier lives that have ended, as long as the broker keeps it. What one process said \
            is in the order in which it said it. Records that are missing show as a gap with their number.

            With --follow it goes on with what is said, until SIGINT or SIGTERM (status 0), also when the broker is away in \
            the meantime: it goes on where it was, and what it waits for is on standard error. With --until it ends when that \
            is over. Without --tail it begins with what is said from now on.

            Before each line stands whose it is: NODE/TYPE#ID of an actor, NODE/TASK#PROCESS of a task. --format json \
            prints one object per line with the keys date, node, process, source, sequence, kind, level, text, metadata, \
            actor, task, traceID, dropped, driver.

            Examples:
              mesh logs --mesh tcp://127.0.0.1:4711
              mesh logs --follow --actor 'trainer-*' --level warning
              mesh logs --since 5m --grep "out of memory" --node worker-2
              mesh logs --actor a3f1 --incarnation 1 --tail 100
              mesh logs --follow --tail 1000 --format json | jq -r .text
            """)

    @Flag(name: .shortAndLong, help: "Go on with what is said from now on.")
    var follow = false

    @Option(
        help: ArgumentHelp(
            "Only of this actor: its name, its type, the first digits of its ID (at least 4), or TYPE#DIGITS as lines begin; "
                + "* stands for anything.",
            valueName: "name"))
    var actor: String?

    @Option(help: ArgumentHelp("Only of tasks of this type; * stands for anything.", valueName: "type"))
    var task: String?

    @Option(help: ArgumentHelp("Only of this node; * stands for anything.", valueName: "name"))
    var node: String?

    @Option(
        help: ArgumentHelp(
            "Nothing older: a time ago such as 30s, 5m, 2h, 7d, or a date such as 2026-01-31T12:00:00Z.",
            valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Nothing newer; like --since.", valueName: "time"))
    var until: String?

    @Option(
        help: ArgumentHelp(
            "Nothing less important: trace, debug, info, notice, warning, error or critical. Lines of standard output "
                + "are info, those of standard error notice.", valueName: "level"))
    var level: String?

    @Option(help: ArgumentHelp("Only what has this in its text.", valueName: "text"))
    var grep: String?

    @Option(help: ArgumentHelp("Only this life of an actor, counted from 1.", valueName: "n"))
    var incarnation: UInt64?

    @Option(
        name: [.customLong("tail"), .customLong("limit")],
        help: ArgumentHelp("Only the newest so many of what is there.", valueName: "n"))
    var limit: Int?

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var output: FormatOptions

    func validate() throws { _ = try self.query(at: Date()) }

    private func query(at now: Date) throws -> LogQuery {
        var query = LogQuery(
            actor: self.actor, task: self.task, node: self.node, text: self.grep, incarnation: self.incarnation)
        query.since = try self.since.map { try Self.date($0, "--since", now) }
        query.until = try self.until.map { try Self.date($0, "--until", now) }
        query.level = try self.level.map { text in
            guard let level = Logger.Level(rawValue: text.lowercased()) else {
                throw ValidationError(
                    "--level takes \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(text)\".")
            }
            return level
        }
        if let limit, limit < 0 { throw ValidationError("--tail takes a number from 0 up.") }
        query.limit = self.limit ?? (self.follow && self.since == nil ? 0 : nil)
        return query
    }

    private static func date(_ text: String, _ option: String, _ now: Date) throws -> Date {
        guard let date = LogTime.date(text, before: now) else {
            throw ValidationError("\(option) takes \(LogTime.words), not \"\(text)\".")
        }
        return date
    }

    func run() async throws {
        let query = try self.query(at: Date())
        let format = self.output.format
        guard self.follow else {
            return try await self.mesh.withMesh { mesh in
                var printer = LogPrinter(format)
                for try await record in try await mesh.logs(query) { try printer.print(record) }
            }
        }
        let termination = await TerminationSignal()
        try await termination.run {
            try await self.mesh.withMesh { mesh in
                var printer = LogPrinter(format)
                let records = try await mesh.logs(query, follow: true) { reason in
                    say("mesh: \(reason.map { "waiting: \($0.message)" } ?? "following again")", to: 2)
                }
                for try await record in records { try printer.print(record) }
            }
        }
    }
}
