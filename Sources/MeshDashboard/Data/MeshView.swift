import ActorMesh
import FoundationEssentials
import MeshCore
import Synchronization

/// Something about the mesh, and since when it is known.
struct Known<Value: Sendable>: Sendable {
    /// What the mesh said; nil when it has never been asked with success.
    var value: Value?
    /// When it said so.
    var date: Date?
    /// Why it does not say it now; nil when the value is new.
    var problem: String?
}

/// What this dashboard knows of the mesh. Everything is asked with a deadline; while the mesh does not answer, it is what
/// it last said. Many who look at the same ask it once.
final class MeshView: Sendable {
    private enum Question: Hashable {
        case overview
        case nodes
        case actors(ActorQuery)
        case ended(ActorQuery)
        case details(UniqueID)
        case tasks
        case statistics
        case calls(UniqueID)
        case records(LogChoice)
    }

    private struct Answer {
        var value: any Sendable
        var date: Date
        var instant: ContinuousClock.Instant
    }

    private struct State {
        var answers: [Question: Answer] = [:]
        /// When the mesh last answered anything.
        var lastHeard: Date?
        var problem: String?
    }

    let source: any MeshSource
    private let deadline: Duration
    private let freshness: Duration
    private let state = Mutex(State())
    /// So many answers are kept for when the mesh is away.
    private static let capacity = 128

    /// - Parameters:
    ///   - deadline: how long the mesh may take to answer.
    ///   - freshness: how old an answer may be to be given again.
    init(_ source: any MeshSource, deadline: Duration = .seconds(3), freshness: Duration = .milliseconds(500)) {
        self.source = source
        self.deadline = deadline
        self.freshness = freshness
    }

    /// When the mesh last answered, and why it does not now; no reason while it does.
    var reach: (lastHeard: Date?, problem: String?) { self.state.withLock { ($0.lastHeard, $0.problem) } }

    func overview() async -> Known<MeshOverview> { await self.ask(.overview) { try await $0.overview() } }

    func nodes() async -> Known<[NodeInfo]> { await self.ask(.nodes) { try await $0.nodes() } }

    func actors(matching query: ActorQuery) async -> Known<ActorPage> {
        await self.ask(.actors(query)) { try await $0.actors(matching: query) }
    }

    func endedActors(matching query: ActorQuery) async -> Known<EndedActorPage> {
        await self.ask(.ended(query)) { try await $0.endedActors(matching: query) }
    }

    func details(of actor: UniqueID) async -> Known<ActorDetails?> {
        await self.ask(.details(actor)) { try await $0.details(of: actor) }
    }

    func tasks() async -> Known<TaskListing> { await self.ask(.tasks) { try await $0.tasks() } }

    func statistics() async -> Known<MeshStatistics> { await self.ask(.statistics) { try await $0.statistics() } }

    func calls(concerning actor: UniqueID) async -> Known<[CallInfo]> {
        await self.ask(.calls(actor)) { try await $0.calls(concerning: actor) }
    }

    func records(_ choice: LogChoice) async -> Known<[LogRecord]> {
        await self.ask(.records(choice), within: self.searchDeadline) { try await $0.records(choice.query(at: Date())) }
    }

    /// How long a search of the log may take: what nothing narrows goes through all of it.
    var searchDeadline: Duration { self.deadline * 4 }

    /// Ends an actor.
    ///
    /// - Throws: `brokerUnavailable`, `deadlineExceeded`, `unauthorized`.
    func kill(_ actor: UniqueID, restart: Bool) async throws {
        let source = self.source
        try await source.asked(within: self.deadline) { try await source.kill(id: actor, restart: restart) }
        self.state.withLock { $0.answers.removeAll() }
    }

    private func ask<Value: Sendable>(
        _ question: Question, within time: Duration? = nil,
        _ body: @escaping @Sendable (any MeshSource) async throws -> Value
    ) async -> Known<Value> {
        let now = ContinuousClock.now
        let fresh = self.state.withLock { state -> Known<Value>? in
            guard state.problem == nil, let answer = state.answers[question], now - answer.instant < self.freshness,
                let value = answer.value as? Value
            else { return nil }
            return Known(value: value, date: answer.date)
        }
        if let fresh { return fresh }
        let source = self.source
        do {
            let value = try await source.asked(within: time ?? self.deadline) { try await body(source) }
            let date = Date()
            self.state.withLock { state in
                state.problem = nil
                state.lastHeard = date
                state.answers[question] = Answer(value: value, date: date, instant: .now)
                if state.answers.count > Self.capacity { Self.forgetOldest(&state) }
            }
            return Known(value: value, date: date)
        } catch is CancellationError {
            return Known(problem: "Nobody waits for the answer any more.")
        } catch {
            let problem = Self.describe(error, question)
            return self.state.withLock { state in
                state.problem = problem
                let answer = state.answers[question]
                return Known(value: answer?.value as? Value, date: answer?.date ?? state.lastHeard, problem: problem)
            }
        }
    }

    private static func forgetOldest(_ state: inout State) {
        let old = state.answers.sorted { $0.value.instant < $1.value.instant }.prefix(Self.capacity / 4)
        for (question, _) in old { state.answers[question] = nil }
    }

    private static func describe(_ error: any Error, _ question: Question) -> String {
        guard let error = error as? MeshError else { return "The mesh could not be asked: \(error)" }
        guard error.code == .deadlineExceeded else { return error.message }
        if case .records = question {
            return "The log could not be searched in time. Choose an actor, a node or a time to search less of it."
        }
        return "The broker did not answer in time."
    }
}
