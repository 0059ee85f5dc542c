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
    /// The newest records of the log that a query finds, as many as its limit says, and never more than 1,000.
    func records(_ query: LogQuery) async throws -> [LogRecord]
    /// The same, and then what is said from now on.
    func follow(_ query: LogQuery) async throws -> MeshStream<LogRecord>
    /// How much the collector of the log has, and how much never came to it.
    func logUsage() async throws -> LogUsage
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
        for try await record in try await self.logs(query.bounded) { records.append(record) }
        return records
    }

    package func follow(_ query: LogQuery) async throws -> MeshStream<LogRecord> {
        try await self.logs(query.bounded, follow: true)
    }
}

extension LogQuery {
    /// One that asks for no more of what is there than a page can show.
    fileprivate var bounded: LogQuery {
        var query = self
        query.limit = min(max(0, query.limit ?? .max), LogChoice.maximumLimit)
        return query
    }
}
