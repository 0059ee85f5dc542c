import ActorMesh
import StreamFixtureActors
import Testing

@Suite("Collectors", .serialized)
struct CollectorTests {
    @Test("three workers' ten messages each are drained exactly once, in order for each worker")
    func drainWhileTheyRun() async throws {
        try await withFixtureMesh { mesh in
            let messages = try await mesh.spawn(MessageActor.self)
            let tail = try await messages.stream()
            var done: [ObjectRef<Done>] = []
            for worker in 0..<3 { done.append(try await mesh.submit(Publish(messages: messages, worker: worker))) }
            var drained: [Message] = []
            var pending = done
            while !pending.isEmpty {
                drained += try await messages.drain()
                (_, pending) = try await mesh.wait(pending, count: 1, timeout: .milliseconds(1))
            }
            drained += try await messages.drain()
            var tailed: [Message] = []
            for try await message in tail {
                tailed.append(message)
                if tailed.count == 30 { break }
            }
            #expect(drained.count == 30)
            #expect(Set(drained.map(\.text)).count == 30)
            for worker in 0..<3 {
                let own = drained.map(\.text).filter { $0.hasSuffix("worker \(worker).") }
                #expect(own == (0..<10).map { "Message \($0) from worker \(worker)." })
            }
            #expect(tailed == drained)
            #expect(drained.allSatisfy { $0.sender.hasPrefix("Publish in process ") })
            #expect(try await messages.drain().isEmpty)
        }
    }
}
