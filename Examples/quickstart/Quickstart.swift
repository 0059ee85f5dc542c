import ActorMesh

/// A task without state: it runs in some worker process and posts its messages through the handle that it was given.
struct Publish: RemoteTask {
    var messages: MessageActor
    var worker: Int

    func run(on mesh: Mesh) async throws -> Done {
        for i in 0..<10 { try await self.messages.add("Message \(i) from worker \(self.worker).") }
        return Done()
    }
}

@main
struct Quickstart: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        let messages = try await mesh.spawn(MessageActor.self)
        var publishers: [ObjectRef<Done>] = []
        for worker in 0..<3 { publishers.append(try await mesh.submit(Publish(messages: messages, worker: worker))) }

        // Take what has come, again and again, while the publishers are at work.
        var texts: [String] = []
        var atWork = publishers
        while !atWork.isEmpty {
            (_, atWork) = try await mesh.wait(atWork, count: atWork.count, timeout: .milliseconds(10))
            texts += try await messages.drain().map(\.text)
        }
        _ = try await mesh.get(publishers)

        for worker in 0..<3 {
            let own = texts.filter { $0.hasSuffix("from worker \(worker).") }
            for text in own { print(text) }
        }
        print("\(texts.count) messages, none lost, none twice, those of each worker in order.")
    }
}
