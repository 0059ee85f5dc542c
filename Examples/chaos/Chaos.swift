import ActorMesh
import FoundationEssentials
import Glibc

/// Computes, and remembers nothing: what a death has cut off is computed again.
distributed actor Cruncher: RemoteActor {
    distributed func sumOfSquares(_ numbers: ClosedRange<Int>) -> Int { numbers.reduce(0) { $0 + $1 * $1 } }
}

/// Remembers the results, also when it dies. A result that is noted again changes nothing.
distributed actor Results: PersistentActor {
    struct State: Codable, Sendable { var sums: [Int: Int] = [:] }

    var state = State()
    nonisolated var persistenceKey: String { "results" }

    distributed func note(_ part: Int, _ sum: Int) { self.state.sums[part] = sum }
    distributed func total() -> Int { self.state.sums.values.reduce(0, +) }
    distributed func count() -> Int { self.state.sums.count }
}

/// Has crunchers compute the parts. When it dies its children die with it, and it makes others.
distributed actor Foreman: Supervisor {
    static var supervision: Supervision { Supervision(maxRestarts: 1_000, backoff: ChaosExample.backoff) }

    private let crunchers: [Cruncher]
    private let results: Results

    init(actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        let options = ActorOptions(maxTaskRetries: .unlimited)
        self.results = try await actorSystem.spawn(Results.self, options: options)
        var crunchers: [Cruncher] = []
        for _ in 0..<3 { crunchers.append(try await actorSystem.spawn(Cruncher.self, options: options)) }
        self.crunchers = crunchers
    }

    distributed func work(on part: Int) async throws {
        let sum = try await self.crunchers[part % 3].sumOfSquares(part * 10 + 1...part * 10 + 10)
        try await self.results.note(part, sum)
    }

    distributed func report() async throws -> String {
        "\(try await self.results.count()) parts, total \(try await self.results.total())"
    }
}

@main
struct ChaosExample: MeshProgram {
    static let directory = "\(FileManager.default.temporaryDirectory.path)/chaos-\(getuid())"
    static let backoff = Backoff(initial: .milliseconds(1), maximum: .milliseconds(10))

    /// Every role of the program reads this, so that its workers keep states in the same place.
    static var configuration: MeshConfiguration {
        MeshConfiguration(stateStore: FileStateStore(directory: Self.directory))
    }

    static func run(_ mesh: Mesh) async throws {
        try? FileManager.default.removeItem(atPath: Self.directory)
        defer { try? FileManager.default.removeItem(atPath: Self.directory) }
        let options = ActorOptions(maxRestarts: .unlimited, maxTaskRetries: .unlimited, backoff: Self.backoff)
        let foreman = try await mesh.spawn(Foreman.self, options: options)

        var random = Random(state: 42)
        var kills = 0
        for round in 0..<10 {
            var parts: [ObjectRef<Done>] = []
            for part in round * 10..<round * 10 + 10 {
                parts.append(try await mesh.submit { try await foreman.work(on: part) })
            }
            // Somewhere in the tree a process ends, whatever it does just now.
            let victims = try await mesh.actors().filter { $0.processID > 0 }.sorted { $0.processID < $1.processID }
            if let victim = victims.randomElement(using: &random), kill(victim.processID, SIGKILL) == 0 { kills += 1 }
            _ = try await mesh.get(parts)
        }
        print(kills > 0 ? "killed" : "nobody was killed")
        print(try await foreman.report())
    }
}

/// The same numbers in every run (SplitMix64).
struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
