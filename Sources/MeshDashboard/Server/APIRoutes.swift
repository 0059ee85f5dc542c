import ActorMesh
import FoundationEssentials
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
            let query = ActorQuery(QueryParameters(request.uri.query ?? ""))
            return try Self.answer(await self.view.actors(matching: query)) { DashboardAPI.Actors($0, query) }
        }
        api.get("/ended") { request, _ in
            let query = ActorQuery(QueryParameters(request.uri.query ?? ""))
            return try Self.answer(await self.view.endedActors(matching: query)) { DashboardAPI.EndedActors($0, query) }
        }
        api.get("/statistics") { _, _ in
            try Self.answer(await self.view.statistics()) { DashboardAPI.Statistics($0) }
        }
        api.get("/logs") { request, _ in
            let choice = LogChoice(QueryParameters(request.uri.query ?? ""))
            return try Self.answer(await self.view.records(choice)) { records in
                DashboardAPI.Logs(records: records.map(DashboardAPI.Record.init))
            }
        }
        api.get("/actors/:id") { _, context in try await self.actor(context.parameters.get("id") ?? "") }
        api.get("/events") { _, _ in self.events() }
    }

    private func actor(_ id: String) async throws -> Response {
        guard let id = UniqueID(id) else {
            return try Self.json(DashboardAPI.Problem(error: "An ID has 32 hexadecimal digits."), .badRequest)
        }
        let known = await self.view.details(of: id)
        guard known.problem == nil, let details = known.value ?? nil else {
            guard known.problem == nil else { return try Self.answer(known) { _ in DashboardAPI.ActorState() } }
            return try Self.json(DashboardAPI.Problem(error: "The broker knows nothing of actor \(id)."), .notFound)
        }
        return try Self.json(
            DashboardAPI.ActorState(
                actor: details.actor.map(DashboardAPI.Actor.init),
                ended: details.termination.map(DashboardAPI.EndedActor.init)), .ok)
    }

    /// What happens from now on.
    private func events() -> Response {
        let seen = Mutex(self.history.events(after: .max).last)
        return self.streams.response {
            let (events, last) = self.history.events(after: seen.withLock { $0 })
            seen.withLock { $0 = last }
            guard !events.isEmpty else { return nil }
            return events.compactMap { event in
                (try? Self.encode(DashboardAPI.Event(event.event))).map { LiveStreams.event("event", $0) }
            }.joined()
        }
    }

    /// Old answers are for people; a program is told that there is none now.
    private static func answer<Value>(_ known: Known<Value>, _ body: (Value) -> some Encodable) throws -> Response {
        guard known.problem == nil, let value = known.value else {
            return try self.json(
                DashboardAPI.Problem(error: known.problem ?? "The mesh has not answered yet.", lastHeard: known.date),
                .serviceUnavailable)
        }
        return try self.json(body(value), .ok)
    }

    private static func json(_ value: some Encodable, _ status: HTTPResponse.Status) throws -> Response {
        Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: try self.encode(value) + "\n")))
    }

    private static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
