import ActorMesh
import ArgumentParser
import FoundationEssentials

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Says why an actor is pending, restarting, slow or dead.",
        discussion: """
            Where it lives, who owns it and who holds handles to it, how many calls it has run and how long they took, \
            what it runs now and for whom, what waits in its mailbox, and which calls of its own it awaits. An actor that has \
            ended is found by its name or its ID as long as the broker remembers it.

            --format json prints one object with the keys actor (as `mesh actors` prints it), termination, why, owner, \
            holders, calls, failures, medianSeconds, p99Seconds, running, waiting, awaits.

            Examples:
              mesh why savings --mesh tcp://127.0.0.1:4711
              mesh why 1fcc75b5 --format json | jq -r .why
            """)

    @Argument(help: "The name of the actor, or the first digits of its ID (at least 4).")
    var actor: String

    @Option(help: ArgumentHelp("The namespace of the name.", valueName: "name"))
    var namespace: String = "default"

    @OptionGroup var mesh: MeshOptions
    @OptionGroup var output: FormatOptions

    func run() async throws {
        try await self.mesh.withMesh { mesh in
            let diagnosis = try await self.mesh.ask(mesh) { try await self.diagnose(on: mesh) }
            switch self.output.format {
            case .json: say(try jsonText(DiagnosisRow(diagnosis), isPretty: true), to: 1)
            case .text:
                for line in DiagnosisRow.lines(diagnosis, style: .standardOutput) { say(line, to: 1) }
            }
        }
    }

    private func diagnose(on mesh: Mesh) async throws -> ActorDiagnosis {
        let id = try await self.choose(on: mesh)
        guard let details = try await mesh.details(of: id) else {
            throw MeshError(
                .actorNotFound, "\(self.actor) has ended in the meantime, and the broker does not know how.")
        }
        guard details.actor != nil else { return ActorDiagnosis(details: details, statistics: nil, calls: []) }
        async let calls = mesh.calls(concerning: id)
        let actors = try await mesh.statistics().actors
        return ActorDiagnosis(
            details: details, statistics: actors.first { $0.actor.id == id }?.actor, calls: try await calls)
    }

    /// The one that is meant, or the one that ended last of those that had the name.
    private func choose(on mesh: Mesh) async throws -> UniqueID {
        let choice = ActorChoice(self.actor, namespace: self.namespace)
        do {
            return try choice.choose(from: try await mesh.actors()).id
        } catch let error as MeshError where error.code == .actorNotFound && !self.actor.isEmpty {
            let query = ActorQuery(text: self.actor, limit: ActorQuery.maximumLimit)
            guard let id = try choice.choose(from: try await mesh.endedActors(matching: query).terminations) else {
                throw error
            }
            return id
        }
    }
}

/// A diagnosis as it is printed.
struct DiagnosisRow: Encodable {
    struct Call: Encodable {
        var actor: String
        var method: String
        var caller: String
        var runningSeconds: Double?

        init(_ call: CallInfo) {
            self.actor = call.actorLabel
            self.method = call.method
            self.caller = call.caller
            self.runningSeconds = call.runningFor.map { $0 / .seconds(1) }
        }
    }

    struct End: Encodable {
        var cause: String
        var message: String
        var date: String
        var incarnation: UInt64
    }

    struct Holder: Encodable {
        var process: String
        var node: String?
        var actors: [String]
    }

    var why: String
    var actor: ActorRow?
    var termination: End?
    var owner: String?
    var holders: [Holder]
    var calls: UInt64?
    var failures: UInt64?
    var medianSeconds: Double?
    var p99Seconds: Double?
    var running: [Call]
    var waiting: [Call]
    var awaits: [Call]

    init(_ diagnosis: ActorDiagnosis) {
        self.why = diagnosis.verdict
        self.actor = diagnosis.details.actor.map(ActorRow.init)
        self.termination = diagnosis.details.termination.map {
            End(
                cause: $0.cause.rawValue, message: $0.message, date: $0.date.formatted(.iso8601),
                incarnation: $0.incarnation)
        }
        self.owner = diagnosis.details.owner.map(ActorChoice.label)
        self.holders = diagnosis.details.holders.map { holder in
            Holder(
                process: holder.process.description, node: holder.node, actors: holder.actors.map(ActorChoice.label))
        }
        let latencies = diagnosis.statistics?.latencies
        self.calls = diagnosis.statistics?.calls
        self.failures = diagnosis.statistics?.failures
        self.medianSeconds = latencies?.quantile(0.5).map { $0 / .seconds(1) }
        self.p99Seconds = latencies?.quantile(0.99).map { $0 / .seconds(1) }
        self.running = diagnosis.running.map(Call.init)
        self.waiting = diagnosis.waiting.map(Call.init)
        self.awaits = diagnosis.awaited.map(Call.init)
    }

    /// The same for people.
    static func lines(_ diagnosis: ActorDiagnosis, style: TerminalStyle = .plain) -> [String] {
        let details = diagnosis.details
        let label =
            details.actor.map(ActorChoice.label)
            ?? details.termination.map {
                "\(shortName(ofType: $0.typeName)) \($0.name.map { "\"\($0)\" " } ?? "")(\($0.actor.description.prefix(8)))"
            }
            ?? "-"
        let state = details.actor?.state.rawValue ?? "ended"
        let rows = diagnosis.rows
        let width = rows.map(\.title.count).max() ?? 0
        return ["\(style.bold(printable(label)))  \(state)"]
            + rows.map { row in
                let space = String(repeating: " ", count: width - row.title.count)
                return "  \(style.dim(row.title))\(space)  \(printable(row.text))"
            }
    }
}
