import ActorMesh
import Testing

@Suite("MeshStream in one process")
struct LocalStreamTests {
    @Test("a loop gets what was written, and ends when the writer finishes")
    func finishes() async throws {
        let (stream, continuation) = MeshStream<Int>.makeStream()
        for number in 0..<3 { try await continuation.send(number) }
        continuation.finish()
        var numbers: [Int] = []
        for try await number in stream { numbers.append(number) }
        #expect(numbers == [0, 1, 2])
        #expect(!continuation.trySend(3))
        let error = await #expect(throws: MeshError.self) { try await continuation.send(3) }
        #expect(error?.code == .invalidArgument)
    }

    @Test("the writer's error comes behind its elements")
    func throwsAtTheEnd() async throws {
        struct Broken: Error {}
        let stream = MeshStream<Int> { continuation in
            try await continuation.send(1)
            throw Broken()
        }
        var numbers: [Int] = []
        await #expect(throws: Broken.self) { for try await number in stream { numbers.append(number) } }
        #expect(numbers == [1])
    }

    @Test("a continuation that goes without finishing does not look like the end")
    func abandoned() async throws {
        func make() -> MeshStream<Int> {
            let (stream, continuation) = MeshStream<Int>.makeStream()
            continuation.trySend(1)
            return stream
        }
        var numbers: [Int] = []
        let stream = make()
        let error = await #expect(throws: MeshError.self) { for try await number in stream { numbers.append(number) } }
        #expect(error?.code == .actorDied)
        #expect(numbers == [1])
    }

    @Test("a writer learns that its reader has let go, and why it waits no more")
    func readerGoes() async throws {
        let (told, tell) = AsyncStream<MeshError?>.makeStream()
        let (stream, continuation) = MeshStream<Int>.makeStream(bufferingLimit: 1)
        continuation.onTermination { tell.yield($0) }
        #expect(continuation.trySend(0))
        #expect(!continuation.trySend(1))
        let waiting = Task { try await continuation.send(1) }
        // The last use of it.
        _ = consume stream
        let error = await #expect(throws: MeshError.self) { try await waiting.value }
        #expect(error?.code == .cancelled)
        var reasons = told.makeAsyncIterator()
        #expect(await reasons.next()??.code == .cancelled)
        #expect(continuation.isTerminated)
    }

    @Test("a cancelled reader loses nothing")
    func cancelledReader() async throws {
        let (stream, continuation) = MeshStream<Int>.makeStream()
        let reading = Task { () -> Int? in
            for try await number in stream { return number }
            return nil
        }
        reading.cancel()
        let result = await reading.result
        #expect(throws: MeshError.self) { try result.get() }
        try await continuation.send(7)
        continuation.finish()
        var numbers: [Int] = []
        for try await number in stream { numbers.append(number) }
        #expect(numbers == [7])
    }

    @Test("a cancelled writer's element is not sent")
    func cancelledWriter() async throws {
        let (stream, continuation) = MeshStream<Int>.makeStream(bufferingLimit: 1)
        try await continuation.send(0)
        let writing = Task { try await continuation.send(1) }
        writing.cancel()
        let result = await writing.result
        let error = #expect(throws: MeshError.self) { try result.get() }
        #expect(error?.code == .cancelled)
        continuation.finish()
        var numbers: [Int] = []
        for try await number in stream { numbers.append(number) }
        #expect(numbers == [0])
    }

    @Test("skipped elements are thrown as slowConsumer, or given as gaps")
    func gaps() async throws {
        func make() -> MeshStream<Int> {
            let (stream, continuation) = MeshStream<Int>.makeStream(bufferingLimit: 2, onFull: .skipOldest)
            for number in 0..<5 { continuation.trySend(number) }
            continuation.finish()
            return stream
        }
        var items: [StreamItem<Int>] = []
        for try await item in make().reportingGaps { items.append(item) }
        #expect(items == [.missed(3), .element(3), .element(4)])

        let stream = make()
        let error = await #expect(throws: MeshError.self) { for try await _ in stream {} }
        #expect(error?.code == .slowConsumer)
        #expect(error?.message.contains("missed 3 elements") == true)
        var rest: [Int] = []
        for try await number in stream { rest.append(number) }
        #expect(rest == [3, 4])
    }

    @Test("the writer is never further ahead than its limit")
    func backPressure() async throws {
        let written = WrittenCount()
        let stream = MeshStream<Int>(bufferingLimit: 8) { continuation in
            for number in 0..<1000 {
                try await continuation.send(number)
                await written.add()
            }
        }
        var taken = 0
        for try await number in stream {
            #expect(number == taken)
            taken += 1
            #expect(await written.count <= taken + 8)
        }
        #expect(taken == 1000)
    }
}

private actor WrittenCount {
    private(set) var count = 0
    func add() { self.count += 1 }
}
