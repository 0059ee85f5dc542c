import ActorMesh
import Foundation
import Logging
import MeshCore
import MeshRuntime
import Synchronization

@testable import MeshDashboard

/// Answers like a mesh, with what a test says.
final class MadeUpMesh: MeshSource {
    struct State {
        var actors: [ActorInfo] = []
        var ended: [ActorTermination] = []
        var nodes: [NodeInfo] = []
        var tasks = TaskListing()
        var records: [LogRecord] = []
        var statistics: [ProcessStatistics] = []
        var calls: [CallInfo] = []
        var logUsage = LogUsage(records: 0, bytes: 0, dropped: 0)
        var queries: [LogQuery] = []
        var followers: [(query: LogQuery, continuation: MeshStream<LogRecord>.Continuation)] = []
        /// Why it does not answer; nil while it does.
        var failure: MeshError?
        var questions = 0
        var killed: [UniqueID] = []
    }

    let state = Mutex(State())
    private let broadcast = MeshStream.makeStream(of: MeshEvent.self, bufferingLimit: 100, onFull: .skipOldest)

    init(_ change: (inout State) -> Void = { _ in }) { self.change(change) }

    func change(_ body: (inout State) -> Void) { self.state.withLock { body(&$0) } }

    private func ask<Answer: Sendable>(_ body: (inout State) -> Answer) throws -> Answer {
        try self.state.withLock { state in
            state.questions += 1
            if let failure = state.failure { throw failure }
            return body(&state)
        }
    }

    func overview() async throws -> MeshOverview {
        try self.ask { state in
            MeshOverview(
                date: Date(timeIntervalSince1970: 1_800_000_000), startDate: Date(timeIntervalSince1970: 1_700_000_000),
                states: Dictionary(grouping: state.actors, by: \.state).mapValues(\.count), ended: state.ended.count,
                nodes: state.nodes.count,
                programs: [MeshOverview.Program(process: PeerID(99), processID: 4, node: nil, actors: 1)])
        }
    }

    func nodes() async throws -> [NodeInfo] { try self.ask { $0.nodes } }

    func actors(matching query: ActorQuery) async throws -> ActorPage {
        try self.ask { state in
            let found = state.actors.filter { actor in
                switch query.parent {
                case .actor(let id): actor.owner == id
                case .program, .nobody: actor.owner == nil
                case nil: true
                }
            }
            let page = found.dropFirst(query.offset).prefix(query.limit)
            return ActorPage(actors: Array(page), matching: found.count, total: state.actors.count)
        }
    }

    func endedActors(matching query: ActorQuery) async throws -> EndedActorPage {
        try self.ask { EndedActorPage(terminations: $0.ended, matching: $0.ended.count, total: $0.ended.count) }
    }

    func details(of actor: UniqueID) async throws -> ActorDetails? {
        try self.ask { state in
            if let info = state.actors.first(where: { $0.id == actor }) { return ActorDetails(actor: info) }
            return state.ended.first { $0.actor == actor }.map { ActorDetails(termination: $0) }
        }
    }

    func tasks() async throws -> TaskListing { try self.ask { $0.tasks } }

    func statistics() async throws -> MeshStatistics {
        try self.ask { MeshStatistics(date: Date(), processes: $0.statistics, silent: []) }
    }

    func calls(concerning actor: UniqueID) async throws -> [CallInfo] { try self.ask { $0.calls } }

    func records(_ query: LogQuery) async throws -> [LogRecord] {
        try self.ask { state in
            state.queries.append(query)
            return Array(state.records.filter(query.matches).suffix(query.limit ?? 0))
        }
    }

    func follow(_ query: LogQuery) async throws -> MeshStream<LogRecord> {
        try self.ask { state in
            let (stream, continuation) = MeshStream.makeStream(
                of: LogRecord.self, bufferingLimit: 10_000, onFull: .skipOldest)
            for record in state.records.filter(query.matches).suffix(query.limit ?? 0) { continuation.trySend(record) }
            state.followers.append((query, continuation))
            return stream
        }
    }

    /// Somebody says something more.
    func says(_ record: LogRecord) {
        self.change { state in
            state.records.append(record)
            for follower in state.followers where follower.query.matches(record) {
                follower.continuation.trySend(record)
            }
        }
    }

    func logUsage() async throws -> LogUsage { try self.ask { $0.logUsage } }

    func events() async throws -> MeshStream<MeshEvent> { self.broadcast.stream }

    func happens(_ event: MeshEvent) { self.broadcast.continuation.trySend(event) }

    func kill(id: UniqueID, restart: Bool) async throws {
        try self.ask { state in
            state.killed.append(id)
            state.actors.removeAll { $0.id == id }
            state.ended.append(termination(id))
        }
    }

    func asked<Answer: Sendable>(
        within time: Duration, _ question: @Sendable () async throws -> Answer
    ) async throws -> Answer { try await question() }
}

func actor(
    _ number: UInt64, name: String? = nil, type: String = "app.Counter", owner: UniqueID? = nil, children: Int = 0,
    state: ActorInfo.State = .alive
) -> ActorInfo {
    ActorInfo(
        id: UniqueID(high: 1, low: number * 2), typeName: type, name: name, namespace: "default", state: state,
        node: "one", processID: 7, incarnation: 1, placement: .process, lifetime: .owned, owner: owner,
        ownerProcess: PeerID(99), children: children)
}

func termination(_ id: UniqueID, name: String? = nil, message: String = "it was killed") -> ActorTermination {
    ActorTermination(
        actor: id, typeName: "app.Counter", name: name, namespace: "default", incarnation: 1, cause: .killed,
        message: message, node: "one", date: Date(timeIntervalSince1970: 1_800_000_000))
}

func record(
    _ sequence: UInt64, _ text: String, level: Logger.Level = .info, kind: LogRecord.Kind = .output,
    node: String = "one", actor: LogRecord.Actor? = nil, task: String? = nil, metadata: [String: String] = [:],
    dropped: UInt64 = 0, driver: PeerID? = nil
) -> LogRecord {
    LogRecord(
        node: node, processID: 7, source: UniqueID(high: 3, low: 4), sequence: sequence,
        date: Date(timeIntervalSince1970: 1_800_000_000.25), level: level, kind: kind, text: text, metadata: metadata,
        actor: actor, task: task, dropped: dropped, driver: driver)
}

func figures(of actor: ActorInfo, calls: UInt64, failures: UInt64 = 0) -> ProcessStatistics {
    var latencies = LatencyHistogram()
    for _ in 0..<calls { latencies.record(nanoseconds: 3_000_000) }
    return ProcessStatistics(
        peer: PeerID(9), processID: 7, role: .worker, node: "one", processorTime: .seconds(2), residentBytes: 1000,
        bytesSent: 1, bytesReceived: 2, reconnects: 0, messagesRejected: 0, connectionsCut: 0, keysRefused: 0,
        callsOutstanding: 0, tasks: 0,
        actors: [
            ActorStatistics(
                id: actor.id, typeName: actor.typeName, name: actor.name, incarnation: actor.incarnation, calls: calls,
                failures: failures, running: 1, waiting: 4, busy: .milliseconds(1500), latencies: latencies)
        ])
}
