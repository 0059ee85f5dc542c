public import ActorMesh
import Glibc

/// A member of pools.
public distributed actor Porter: RemoteActor {
    /// What it throws.
    public struct Dropped: Error, Codable {
        /// Makes one.
        public init() {}
    }

    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Gives back what it is given.
    public distributed func carry(_ number: Int) -> Int { number }

    /// Fails.
    public distributed func drop() throws -> Int { throw Dropped() }

    /// Ends its process.
    public distributed func die() -> Int { abort() }

    /// Gives a number back when the witness has seen something.
    public distributed func wait(for event: String, at witness: Witness, then number: Int) async throws -> Int {
        try await witness.wait(for: event, count: 1)
        return number
    }
}

/// Has a pool that it was given.
public distributed actor PoolUser: RemoteActor {
    private let pool: ActorPool<Porter>

    /// With a pool.
    public init(_ arguments: ActorPool<Porter>, actorSystem: Mesh) {
        self.actorSystem = actorSystem
        self.pool = arguments
    }

    /// Has numbers carried.
    public distributed func carry(_ numbers: [Int]) async throws -> [Int] {
        for number in numbers { self.pool.submit(number) { try await $0.carry($1) } }
        var results: [Int] = []
        while self.pool.hasNext { results.append(try await self.pool.next()) }
        return results
    }

    /// Keeps a member busy without an end, and says so.
    public distributed func occupy(_ witness: Witness) async throws {
        self.pool.submit { porter -> Int in
            try await witness.reach("occupied")
            return try await porter.wait(for: "never", at: witness, then: 0)
        }
    }
}
