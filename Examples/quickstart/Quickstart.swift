import ActorMesh

distributed actor Counter: RemoteActor {
    private var value = 0
    distributed func increment() -> Int {
        value += 1
        return value
    }
}

struct Publish: RemoteTask {
    var messages: MessageActor
    var worker: Int

    func run(on mesh: Mesh) async throws -> Done {
        for i in 0..<10 { try await messages.add("Message \(i) from worker \(worker).") }
        return Done()
    }
}

@main
struct Quickstart: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        let counter = try await mesh.spawn(Counter.self)
        print(try await counter.increment(), try await counter.increment())
        let messages = try await mesh.spawn(MessageActor.self)
        var done: [ObjectRef<Done>] = []
        for worker in 0..<3 { done.append(try await mesh.submit(Publish(messages: messages, worker: worker))) }
        let (ready, pending) = try await mesh.wait(done, count: 3, timeout: .seconds(20))
        print(ready.count, pending.count)
        for message in try await messages.drain() { print(message.text) }
    }
}
