import FoundationEssentials
import SeededRandom

/// The rides, in files of a folder that is there as long as `withShards` runs.
struct Shards {
    var paths: [String]
    /// What stands in the files, to check against.
    var rides: [[Ride]]
}

func withShards(_ count: Int, _ body: (Shards) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "batch-inference-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }

    var random = SeededRandom(seed: 2009)
    var shards = Shards(paths: [], rides: [])
    for shard in 0..<count {
        let rides = (0..<500 + random.below(500)).map { _ in Ride(using: &random) }
        let file = folder.appending(path: "rides-\(shard).csv")
        let lines = [Ride.header] + rides.map(\.line)
        try (lines.joined(separator: "\n") + "\n").write(to: file, atomically: false, encoding: .utf8)
        shards.paths.append(file.path)
        shards.rides.append(rides)
    }
    try await body(shards)
}
