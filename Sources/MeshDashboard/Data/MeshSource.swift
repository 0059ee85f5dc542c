package import ActorMesh
package import MeshCore

/// What the pages ask a mesh; a mesh that is there, or one that a test makes up.
package protocol MeshSource: Sendable {
    func overview() async throws -> MeshOverview
    func nodes() async throws -> [NodeInfo]
    func actors(matching query: ActorQuery) async throws -> ActorPage
    func endedActors(matching query: ActorQuery) async throws -> EndedActorPage
    func details(of actor: UniqueID) async throws -> ActorDetails?
    func tasks() async throws -> TaskListing
    func statistics() async throws -> MeshStatistics
    func calls(concerning actor: UniqueID) async throws -> [CallInfo]
    /// The newest records of the log that a query finds, as many as its limit says.
    func records(_ query: LogQuery) async throws -> [LogRecord]
    func events() async throws -> MeshStream<MeshEvent>
    func kill(id: UniqueID, restart: Bool) async throws

    /// Runs a question, and gives up after a time.
    func asked<Answer: Sendable>(
        within time: Duration, _ question: @Sendable () async throws -> Answer
    ) async throws -> Answer
}

extension Mesh: MeshSource {
    package func asked<Answer: Sendable>(
        within time: Duration, _ question: @Sendable () async throws -> Answer
    ) async throws -> Answer {
        try await self.withDeadline(time, question)
    }

    package func records(_ query: LogQuery) async throws -> [LogRecord] {
        var records: [LogRecord] = []
        for try await record in try await self.logs(query) { records.append(record) }
        return records
    }
}
