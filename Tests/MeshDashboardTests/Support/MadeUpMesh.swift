import ActorMesh
import Foundation
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
        try self.ask { _ in MeshStatistics(date: Date(), processes: [], silent: []) }
    }

    func calls(concerning actor: UniqueID) async throws -> [CallInfo] { try self.ask { _ in [] } }

    func records(_ query: LogQuery) async throws -> [LogRecord] {
        try self.ask { Array($0.records.suffix(query.limit ?? 0)) }
    }

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
