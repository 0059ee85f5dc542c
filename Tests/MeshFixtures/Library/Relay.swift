public import ActorMesh

/// Calls others with deadlines, and under cancellation, and says how it ended.
public distributed actor Relay: RemoteActor {
    /// Makes one.
    public init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// Calls the blocker, which holds it up; what ends the call is passed on.
    public distributed func hold(_ blocker: Blocker, _ witness: Witness, _ name: String) async throws {
        try await blocker.hold(witness, name)
    }

    /// Calls the blocker by way of other relays.
    public distributed func hold(
        through relays: [Relay], _ blocker: Blocker, _ witness: Witness, _ name: String
    ) async throws {
        guard let next = relays.first else { return try await blocker.hold(witness, name) }
        try await next.hold(through: Array(relays.dropFirst()), blocker, witness, name)
    }

    /// Gives the blocker a time of its own.
    public distributed func hold(
        _ blocker: Blocker, _ witness: Witness, _ name: String, milliseconds: Int
    ) async throws {
        try await self.actorSystem.withDeadline(.milliseconds(milliseconds)) { try await blocker.hold(witness, name) }
    }

    /// Sends so many messages to another actor, and returns the code of the error if there was one.
    public distributed func tell(_ blocker: Blocker, count: Int) async -> String {
        do {
            for _ in 0..<count { try await self.actorSystem.tell { _ = try await blocker.count() } }
            return "accepted"
        } catch let error as MeshError {
            return "\(error.code)"
        } catch {
            return "\(error)"
        }
    }

    /// Sends messages until one is refused. Returns how many were not, and the words of the error.
    public distributed func tellUntilRefused(_ blocker: Blocker) async -> String {
        for count in 0..<10_000 {
            do {
                try await self.actorSystem.tell(backPressure: .failFast) { _ = try await blocker.count() }
            } catch {
                return "\(count) accepted, \(error)"
            }
        }
        return "all accepted"
    }
}
