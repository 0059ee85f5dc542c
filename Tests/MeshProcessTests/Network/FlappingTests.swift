import ActorMesh
import Glibc
import MeshFixtures
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
                        options: .init(name: "scribe \(index)", maxRestarts: .unlimited, maxTaskRetries: .unlimited))
                    calls.append(Task { try await Self.callUntilCancelled(scribe) })
                }
                var generator = SeededGenerator(seed: Self.seed)
                let end = ContinuousClock.now + .seconds(Self.seconds ?? 0)
                while ContinuousClock.now < end {
                    let host = try network[["one", "two"].randomElement(using: &generator) ?? "one"]
                    try Cut.allCases.randomElement(using: &generator)?.make(network, host)
                    try await Task.sleep(for: .milliseconds(Int.random(in: 300...4000, using: &generator)))
                    network.heal()
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...3000, using: &generator)))
                }
                try await poll { try await mesh.nodes().map(\.name).sorted() == ["one", "two"] }
                for (book, calls) in zip(books, calls) {
                    let count = book.lines.count
                    try await poll { book.lines.count > count + 10 }
                    if book.lines.count <= count + 10 {
                        Issue.record("Calls stand still; the broker knows: \(try await mesh.actors())")
                    }
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
