import ActorMesh
import Glibc
import MeshFixtures
import MeshRuntime
import MeshTesting
import Testing

extension Processes.Partitions {
    /// How long hosts are cut off and reached again: as long as the chaos is asked for. The moments of a schedule by
    /// chance are the only times that are waited for.
    private static let seconds = getenv("CHAOS_SECONDS").flatMap { Double(String(cString: $0)) }

    private static let seed =
        getenv("CHAOS_SEED").flatMap { UInt64(String(cString: $0)) } ?? UInt64.random(in: 0...UInt64.max)

    @Test(
        "L4 under many partitions: calls that may run again all run, in order, and no life answers after a later one",
        .enabled(if: seconds != nil, "It runs for as long as CHAOS_SECONDS says"))
    func flapping() async throws {
        print("the partitions of seed \(Self.seed)")
        try await Network.with("broker", "one", "two", "driver") { network in
            let cluster = try await NetworkCluster(network)
            let nodes = [try await cluster.node(on: "one"), try await cluster.node(on: "two")]
            let books = [Book(), Book()]
            try await cluster.drive(on: "driver") { mesh in
                var calls: [Task<Int, any Error>] = []
                for (index, book) in books.enumerated() {
                    let scribe = try await mesh.spawn(
                        Scribe.self, .init(path: book.path),
                        // They die so often that the pauses would grow longer than anybody waits here.
                        options: .init(
                            name: "scribe \(index)", maxRestarts: .unlimited, maxTaskRetries: .unlimited,
                            backoff: Backoff(maximum: .milliseconds(500))))
                    calls.append(Task { try await Self.callUntilCancelled(scribe) })
                }
                var generator = SeededGenerator(seed: Self.seed)
                let end = ContinuousClock.now + .seconds(Self.seconds ?? 0)
                while ContinuousClock.now < end {
                    let host = try network[["one", "two"].randomElement(using: &generator) ?? "one"]
                    try Cut.allCases.randomElement(using: &generator)?.make(network, host)
                    // Half of them end about when leases do.
                    let length = Bool.random(using: &generator) ? 300...4000 : 1500...2500
                    try await Task.sleep(for: .milliseconds(Int.random(in: length, using: &generator)))
                    network.heal()
                    guard Int.random(in: 0..<4, using: &generator) > 0 else {
                        for book in books { try await Self.expectCalls(in: book, on: mesh) }
                        continue
                    }
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...3000, using: &generator)))
                }
                try await poll { try await mesh.nodes().map(\.name).sorted() == ["one", "two"] }
                for (book, calls) in zip(books, calls) {
                    try await Self.expectCalls(in: book, on: mesh)
                    calls.cancel()
                    let answered = try await calls.value
                    #expect(book.history.reordered == [])
                    #expect(book.history.lost(of: ["driver": answered]) == [])
                    let lives = book.lines.map(\.life)
                    #expect(lives == lives.sorted(), "an earlier life ran calls after a later one")
                }
            }
            withExtendedLifetime(nodes) {}
        }
    }

    /// Calls go on, now that everybody reaches everybody.
    private static func expectCalls(in book: Book, on mesh: Mesh) async throws {
        let count = book.lines.count
        let end = ContinuousClock.now + .seconds(60)
        while book.lines.count <= count + 10 {
            guard ContinuousClock.now < end else {
                let known = try await mesh.actors().map { "\($0)" }.joined(separator: "\n")
                throw MeshError(
                    .actorUnavailable, "Calls stand still with seed \(Self.seed).\n\(mesh.diagnosis)\n\(known)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Returns how many calls were answered.
    private static func callUntilCancelled(_ scribe: Scribe) async throws -> Int {
        var (count, last) = (0, UInt64(0))
        do {
            while true {
                let life = try await scribe.write("driver", count)
                #expect(life >= last, "an earlier life answered after a later one")
                (count, last) = (count + 1, life)
                try await Task.sleep(for: .milliseconds(2))
            }
        } catch let error as MeshError where error.code == .cancelled {
            return count
        } catch is CancellationError {
            return count
        }
    }
}
