package import ActorMesh

/// A worker of the scenario: it publishes ten messages.
package struct Publish: RemoteTask {
    package var messages: MessageActor
    package var worker: Int
    package init(messages: MessageActor, worker: Int) {
        self.messages = messages
        self.worker = worker
    }
    package func run(on mesh: Mesh) async throws -> Done {
        for i in 0..<10 { try await self.messages.add("Message \(i) from worker \(self.worker).") }
        return Done()
    }
}

/// The same with log lines.
package struct Log: RemoteTask {
    package var log: LoggingActor
    package var worker: Int
    package init(log: LoggingActor, worker: Int) {
        self.log = log
        self.worker = worker
    }
    package func run(on mesh: Mesh) async throws -> Done {
        for i in 0..<10 { try await self.log.log(self.worker, "Line \(i).") }
        return Done()
    }
}
