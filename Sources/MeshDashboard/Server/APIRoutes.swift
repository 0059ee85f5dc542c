import ActorMesh
import HTTPTypes
import Hummingbird
import MeshCore
import Synchronization

/// The JSON API, which reads only. See ``DashboardAPI``.
struct APIRoutes: Sendable {
    let view: MeshView
    let history: EventHistory
    let streams: LiveStreams

    func add(to router: Router<DashboardContext>) {
        let api = router.group("/api/v1")
        api.get("/overview") { _, _ in try Self.answer(await self.view.overview()) { DashboardAPI.Overview($0) } }
        api.get("/nodes") { _, _ in try Self.answer(await self.view.nodes()) { $0.map(DashboardAPI.Node.init) } }
        api.get("/tasks") { _, _ in try Self.answer(await self.view.tasks()) { DashboardAPI.Tasks($0) } }
        api.get("/actors") { request, _ in
            try await Self.answer(request, ActorQuery.init) { query in
                try Self.answer(await self.view.actors(matching: query)) { DashboardAPI.Actors($0, query) }
            }
        }
        api.get("/ended") { request, _ in
            try await Self.answer(request, ActorQuery.init) { query in
                try Self.answer(await self.view.endedActors(matching: query)) { DashboardAPI.EndedActors($0, query) }
            }
        }
        api.get("/statistics") { _, _ in
            try Self.answer(await self.view.statistics()) { DashboardAPI.Statistics($0) }
        }
        api.get("/logs") { request, _ in
            try await Self.answer(request, LogChoice.init) { choice in
                try Self.answer(await self.view.records(choice)) { records in
                    DashboardAPI.Logs(records: records.map(DashboardAPI.Record.init))
                }
            }
        }
        api.get("/actors/:id") { _, context in try await self.actor(context.parameters.get("id") ?? "") }
        api.get("/events") { request, _ in self.events(for: request) }
    }

    private func actor(_ id: String) async throws -> Response {
        guard let id = UniqueID(id) else {
            return try Response(
                json: DashboardAPI.Problem(error: "An ID has 32 hexadecimal digits."), status: .badRequest)
        }
        let known = await self.view.details(of: id)
        guard known.problem == nil, let details = known.value ?? nil else {
            guard known.problem == nil else { return try Self.answer(known) { _ in DashboardAPI.ActorState() } }
            return try Response(
                json: DashboardAPI.Problem(error: "The broker knows nothing of actor \(id)."), status: .notFound)
        }
        return try Response(
            json: DashboardAPI.ActorState(
                actor: details.actor.map(DashboardAPI.Actor.init),
                ended: details.termination.map(DashboardAPI.EndedActor.init)))
    }

    /// What happens from now on.
    private func events(for request: Request) -> Response {
        let seen = Mutex(self.history.events(after: .max).last)
        return self.streams.response(to: request) {
            let (events, last) = self.history.events(after: seen.withLock { $0 })
            seen.withLock { $0 = last }
            guard !events.isEmpty else { return nil }
            return events.compactMap { event in
                (try? DashboardAPI.text(of: DashboardAPI.Event(event.event))).map { LiveStreams.event("event", $0) }
            }.joined()
        }
    }

    /// Answers what the address chooses, unless it makes no sense.
    private static func answer<Choice>(
        _ request: Request, _ read: (inout ParameterReader) -> Choice, _ body: (Choice) async throws -> Response
    ) async throws -> Response {
        var reader = ParameterReader(QueryParameters(request.uri.query ?? ""))
        let choice = read(&reader)
        guard reader.problems.isEmpty else {
            let error = reader.problems.map(\.text).joined(separator: " ")
            return try Response(json: DashboardAPI.Problem(error: error), status: .badRequest)
        }
        return try await body(choice)
    }

    /// Old answers are for people; a program is told that there is none now.
    private static func answer<Value>(_ known: Known<Value>, _ body: (Value) -> some Encodable) throws -> Response {
        guard known.problem == nil, let value = known.value else {
            let error = known.problem ?? "The mesh has not answered yet."
            return try Response(
                json: DashboardAPI.Problem(error: error, lastHeard: known.date), status: .serviceUnavailable)
        }
        return try Response(json: body(value))
    }
}
