public import MeshCore
public import MeshRuntime

/// Looking at a mesh. The broker answers from what it knows, so each of these costs one message; all of them throw
/// `brokerUnavailable` when the broker cannot be reached or goes away before it has answered, and wait for an answer as
/// long as it is there: put a deadline around them with `withDeadline`.
extension Mesh {
    /// The actors that live now, and those that are about to.
    public func actors() async throws -> [ActorInfo] { try await self.membership.ask { try await $0.actors() } }

    /// A part of those, chosen and sorted by the broker.
    public func actors(matching query: ActorQuery) async throws -> ActorPage {
        try await self.membership.ask { try await $0.actorPage(matching: query) }
    }

    /// A part of the actors that have ended, the last first, as far as the broker remembers them (the last 10,000). Of
    /// the query count the text, the type, the node and the namespace.
    public func endedActors(matching query: ActorQuery = ActorQuery()) async throws -> EndedActorPage {
        try await self.membership.ask { try await $0.endedActors(matching: query) }
    }

    /// Everything that the broker knows of an actor, or of how it ended; nil when it knows nothing of it.
    public func details(of actor: UniqueID) async throws -> ActorDetails? {
        try await self.membership.ask { try await $0.details(of: actor) }
    }

    /// What there is in the mesh, in numbers.
    public func overview() async throws -> MeshOverview {
        try await self.membership.ask { try await $0.overview() }
    }

    /// The nodes of the mesh.
    public func nodes() async throws -> [NodeInfo] { try await self.membership.ask { try await $0.nodes() } }

    /// The workers that are out to run tasks, and what they run. What does not answer within half a second is left out,
    /// and said to be.
    public func tasks() async throws -> TaskListing { try await self.membership.ask { try await $0.tasks() } }
}
