import ActorMesh
import Glibc
import StreamFixtureActors
import Testing

extension Streams {
    @Suite("Collectors", .serialized, .timeLimit(.minutes(10)))
    struct CollectorTests {
        /// The scenario: three workers publish ten messages each, which are drained while they run.
        private func run() async throws -> (drained: [Message], tailed: [Message]) {
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
                #expect(try await messages.drain().isEmpty)
                var tailed: [Message] = []
                for try await message in tail {
                    tailed.append(message)
                    if tailed.count == 30 { break }
                }
                return (drained, tailed)
            }
        }

        @Test("thirty messages that are drained while three workers publish arrive, and no more")
        func exactlyThirty() async throws {
            let (drained, tailed) = try await self.run()
            #expect(drained.count == 30)
            #expect(tailed.count == 30)
        }

        @Test("none of them comes twice")
        func noDuplicates() async throws {
            let (drained, tailed) = try await self.run()
            #expect(Set(drained.map(\.text)).count == 30)
            #expect(Set(tailed.map(\.sequence)).count == 30)
        }

        @Test("each worker's messages come in its order, and name their sender")
        func inOrder() async throws {
            let (drained, tailed) = try await self.run()
            for worker in 0..<3 {
                let expected = (0..<10).map { "Message \($0) from worker \(worker)." }
                for messages in [drained, tailed] {
                    let own = messages.filter { $0.text.hasSuffix("worker \(worker).") }
                    #expect(own.map(\.text) == expected)
                    #expect(Set(own.map(\.sender)).count == 1)
                }
            }
            #expect(drained.allSatisfy { $0.sender.hasPrefix("Publish in process ") })
            #expect(drained.map(\.sequence) == Array(1...30))
        }

        @Test("a stream begins with what is kept, and takes nothing from it")
        func streamOfKept() async throws {
            try await withFixtureMesh { mesh in
                let messages = try await mesh.spawn(MessageActor.self)
                for text in ["a", "b"] { try await messages.add(text) }
                let stream = try await messages.stream()
                try await messages.add("c")
                var texts: [String] = []
                for try await message in stream {
                    texts.append(message.text)
                    if texts.count == 3 { break }
                }
                #expect(texts == ["a", "b", "c"])
                #expect(try await messages.messages().map(\.text) == texts)
                #expect(try await messages.drain().map(\.text) == texts)
                #expect(try await messages.messages().isEmpty)
            }
        }

        @Test("a reader that is far behind slows those who add but not those who drain, and its death frees them")
        func readerKilled() async throws {
            try await withFixtureMesh { mesh in
                let messages = try await mesh.spawn(MessageActor.self, options: .init(maxPendingCalls: 2000))
                let follower = try await mesh.spawn(Follower.self)
                let process = try await follower.processID()
                try await messages.add("first")
                #expect(try await follower.hold(messages) == "first")
                var adding: [ObjectRef<Done>] = []
                for number in 0..<1100 { adding.append(try await mesh.submit { try await messages.add("\(number)") }) }
                // All have their place, though the last of them wait for the reader.
                #expect(try await messages.drain().count == 1101)
                let (_, waiting) = try await mesh.wait(adding, count: 1100, timeout: .zero)
                #expect(waiting.count >= 1100 - 1024 - 1)
                kill(process, SIGKILL)
                for ref in adding { _ = try await ref.value }
            }
        }

        @Test("a reader that takes nothing is cut off, and told what it missed when it goes on")
        func readerStopped() async throws {
            try await withFixtureMesh { mesh in
                let messages = try await mesh.spawn(MessageActor.self, options: .init(maxPendingCalls: 2000))
                let follower = try await mesh.spawn(Follower.self)
                try await messages.add("first")
                #expect(try await follower.hold(messages) == "first")
                var adding: [ObjectRef<Done>] = []
                for number in 0..<1100 { adding.append(try await mesh.submit { try await messages.add("\(number)") }) }
                for ref in adding { _ = try await ref.value }
                let error = await #expect(throws: MeshError.self) { while try await follower.next() != nil {} }
                #expect(error?.code == .slowConsumer)
                #expect(error?.message.contains("missed ") == true)
            }
        }

        @Test("log lines are kept under their numbers and can be followed")
        func logging() async throws {
            try await withFixtureMesh { mesh in
                let log = try await mesh.spawn(LoggingActor.self)
                let stream = try await log.stream()
                var done: [ObjectRef<Done>] = []
                for worker in 0..<3 { done.append(try await mesh.submit(Log(log: log, worker: worker))) }
                _ = try await mesh.get(done)
                let expected = (0..<10).map { "Line \($0)." }
                #expect(try await log.logs() == [0: expected, 1: expected, 2: expected])
                var lines: [LogLine] = []
                for try await line in stream {
                    lines.append(line)
                    if lines.count == 30 { break }
                }
                #expect(lines.map(\.sequence) == Array(1...30))
                #expect(lines.filter { $0.index == 1 }.map(\.message) == expected)
            }
        }

        @Test("who adds is named: an actor, a task, or a program's process")
        func senders() async throws {
            try await withFixtureMesh { mesh in
                let messages = try await mesh.spawn(MessageActor.self)
                try await messages.add("from the test")
                try await mesh.tell { try await messages.add("told") }
                let sender = try await mesh.spawn(Sender.self)
                try await sender.send("from an actor", to: messages)
                let all = try await messages.drain()
                #expect(all.map(\.text) == ["from the test", "told", "from an actor"])
                #expect(all[0].sender == "process \(getpid())")
                #expect(all[1].sender == "process \(getpid())")
                #expect(all[2].sender.hasPrefix("Sender ("))
                #expect(all[2].sender.hasSuffix("in process \(try await sender.processID())"))
            }
        }
    }
}
