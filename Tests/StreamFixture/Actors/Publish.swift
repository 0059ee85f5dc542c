public import ActorMesh

/// A worker of the scenario: it publishes ten messages.
public struct Publish: RemoteTask {
    public var messages: MessageActor
    public var worker: Int
    public init(messages: MessageActor, worker: Int) {
        self.messages = messages
        self.worker = worker
    }
    public func run(on mesh: Mesh) async throws -> Done {
        for i in 0..<10 { try await self.messages.add("Message \(i) from worker \(self.worker).") }
        return Done()
    }
}

/// The same with log lines.
public struct Log: RemoteTask {
    public var log: LoggingActor
    public var worker: Int
    public init(log: LoggingActor, worker: Int) {
        self.log = log
        self.worker = worker
    }
    public func run(on mesh: Mesh) async throws -> Done {
        for i in 0..<10 { try await self.log.log(self.worker, "Line \(i).") }
        return Done()
    }
}
