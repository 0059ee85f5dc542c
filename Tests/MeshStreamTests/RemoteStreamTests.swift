import ActorMesh
import Glibc
import StreamFixtureActors
import Testing

extension Streams {
    @Suite("MeshStream across processes", .serialized, .timeLimit(.minutes(10)))
    struct RemoteStreamTests {
        @Test("twenty thousand elements arrive once and in order")
        func manyElements() async throws {
            try await withFixtureMesh { mesh in
                let numbers = try await mesh.spawn(Numbers.self)
                var expected = 0
                for try await number in try await numbers.count(to: 20_000, bufferingLimit: 1024) {
                    guard number == expected else {
                        Issue.record("\(number) instead of \(expected)")
                        break
                    }
                    expected += 1
                }
                #expect(expected == 20_000)
            }
        }

        @Test("a slow reader keeps its writer within the limit")
        func slowReader() async throws {
            try await withFixtureMesh { mesh in
                let numbers = try await mesh.spawn(Numbers.self)
                let stream = try await numbers.count(to: 500, bufferingLimit: 16)
                // The writer fills the buffer, and then waits, however often it is looked at.
                while try await numbers.sent() < 16 { await Task.yield() }
                for _ in 0..<20 { #expect(try await numbers.sent() == 16) }
                var taken = 0
                for try await number in stream {
                    #expect(number == taken)
                    taken += 1
                    #expect(try await numbers.sent() <= taken + 16)
                }
                #expect(taken == 500)
            }
        }

        @Test("the writer's error arrives as itself, behind its elements")
        func failure() async throws {
            try await withFixtureMesh { mesh in
                let numbers = try await mesh.spawn(Numbers.self)
                var taken: [Int] = []
                let stream = try await numbers.fail(after: 5)
                let error = await #expect(throws: OutOfNumbers.self) {
                    for try await number in stream { taken.append(number) }
                }
                #expect(error?.last == 4)
                #expect(taken == [0, 1, 2, 3, 4])
            }
        }

        @Test("a stream that its writer lets go of does not just end")
        func abandoned() async throws {
            try await withFixtureMesh { mesh in
                let stream = try await mesh.spawn(Numbers.self).abandon()
                let error = await #expect(throws: MeshError.self) { for try await _ in stream {} }
                #expect(error?.code == .actorDied)
            }
        }

        @Test("a reader is told what was skipped")
        func skipping() async throws {
            try await withFixtureMesh { mesh in
                let numbers = try await mesh.spawn(Numbers.self)
                var items: [StreamItem<Int>] = []
                for try await item in try await numbers.overflow(to: 100, limit: 3).reportingGaps { items.append(item) }
                #expect(items == [.missed(97), .element(97), .element(98), .element(99)])
                let stream = try await numbers.overflow(to: 100, limit: 3)
                let error = await #expect(throws: MeshError.self) { for try await _ in stream {} }
                #expect(error?.code == .slowConsumer)
            }
        }

        @Test("a stream ends with actorDied when its writer's process is killed")
        func writerKilled() async throws {
            try await withFixtureMesh { mesh in
                let numbers = try await mesh.spawn(Numbers.self)
                let process = try await numbers.processID()
                var taken = 0
                let stream = try await numbers.count(to: 1_000_000, bufferingLimit: 8)
                let error = await #expect(throws: MeshError.self) {
                    for try await number in stream {
                        #expect(number == taken)
                        taken += 1
                        if taken == 20 { kill(process, SIGKILL) }
                    }
                }
                #expect(error?.code == .actorDied)
                #expect(taken >= 20)
            }
        }

        @Test("a stream is an argument too, and its writer learns when its reader's process dies")
        func streamAsArgument() async throws {
            try await withFixtureMesh { mesh in
                let follower = try await mesh.spawn(Follower.self)
                let (stream, continuation) = MeshStream<Int>.makeStream(bufferingLimit: 4)
                let all = try await mesh.submit { try await follower.all(stream) }
                for number in 0..<100 { try await continuation.send(number) }
                continuation.finish()
                #expect(try await all.value == Array(0..<100))

                let (told, tell) = AsyncStream<MeshError?>.makeStream()
                let (second, endless) = MeshStream<Int>.makeStream(bufferingLimit: 4)
                endless.onTermination { tell.yield($0) }
                let process = try await follower.processID()
                let reading = try await mesh.submit { try await follower.all(second) }
                for number in 0..<100 { try await endless.send(number) }
                kill(process, SIGKILL)
                let error = await #expect(throws: MeshError.self) { while true { try await endless.send(0) } }
                #expect(error?.code == .actorDied)
                var reasons = told.makeAsyncIterator()
                #expect(await reasons.next()??.code == .actorDied)
                await #expect(throws: MeshError.self) { try await reading.value }
            }
        }

        @Test("a stream may be passed on until it is read")
        func passingOn() async throws {
            try await withFixtureMesh { mesh in
                let numbers = try await mesh.spawn(Numbers.self)
                let (one, other) = (try await mesh.spawn(Follower.self), try await mesh.spawn(Follower.self))
                let stream = try await numbers.count(to: 50, bufferingLimit: 4)
                try await one.keep(stream)
                #expect(try await other.all(try await one.take()) == Array(0..<50))
                // This process has given it away.
                let error = await #expect(throws: MeshError.self) { for try await _ in stream {} }
                #expect(error?.code == .invalidArgument)
            }
        }

        @Test("a writer learns that its reader in another process has let go")
        func readerLetsGo() async throws {
            try await withFixtureMesh { mesh in
                let follower = try await mesh.spawn(Follower.self)
                let (stream, continuation) = MeshStream<Int>.makeStream(bufferingLimit: 4)
                try await follower.keep(stream)
                _ = try await follower.take()
                let error = await #expect(throws: MeshError.self) { while true { try await continuation.send(0) } }
                #expect(error?.code == .cancelled)
            }
        }
    }
}
