public import Distributed
import FoundationEssentials
public import MeshCore
public import MeshRuntime

/// How actors end, and how one learns of it.
extension Mesh {
    /// Ends an actor at once; it does not clean up. Calls that wait or run fail with `actorDied`, or, when it might have
    /// been started again, with `actorUnavailable`: their callers see that its process has ended, and not yet why.
    /// Ending one that has ended is no error. When this returns its name is free.
    ///
    /// - Parameter restart: whether it is started again, which counts against its `maxRestarts`; one that may not be
    ///   restarted ends.
    /// - Throws: `brokerUnavailable`.
    public func kill(_ actor: some DistributedActor, restart: Bool = false) async throws {
        let id = try Self.meshID(of: actor)
        try await self.membership.ask { try await $0.kill(id.uniqueID, restart: restart) }
        if !restart { id.reference.end(with: MeshError(.actorDied, "\(id) has ended: it was killed.")) }
    }

    /// Ends an actor that is known by its number, whatever its type; see `kill(_:restart:)`.
    public func kill(id: UniqueID, restart: Bool = false) async throws {
        try await self.membership.ask { try await $0.kill(id, restart: restart) }
    }

    /// Ends an actor in good order: it finishes the calls that it has accepted, refuses others with `actorDied`, runs
    /// its ``RemoteActor/cleanUp(because:)`` and ends. It is not restarted. When this returns its name is free.
    ///
    /// - Parameter timeout: how long it may take; then what still runs is cut off.
    /// - Throws: `brokerUnavailable`.
    public func stop(_ actor: some DistributedActor, timeout: Duration = .seconds(30)) async throws {
        let id = try Self.meshID(of: actor)
        try await self.membership.ask { try await $0.stop(id.uniqueID, within: timeout.nanoseconds) }
        id.reference.end(with: MeshError(.actorDied, "\(id) has ended: it was told to stop."))
    }

    /// Ends an actor that is known by its number in good order; see `stop(_:timeout:)`.
    public func stop(id: UniqueID, timeout: Duration = .seconds(30)) async throws {
        try await self.membership.ask { try await $0.stop(id, within: timeout.nanoseconds) }
    }

    /// Suspends until an actor is gone for good, and tells when and why. Returns at once for one that has ended, as long
    /// as the broker remembers it (the last 10,000); later, and when the broker was restarted without a store, the
    /// cause is `unknown`. Waits on while the broker is away.
    ///
    /// - Throws: `cancelled`; `shutDown` when this process leaves the mesh.
    public func terminated(_ actor: some DistributedActor) async throws -> ActorTermination {
        let id = try Self.meshID(of: actor)
        let known = try await self.membership.termination(of: id.uniqueID)
        // A call that is made now fails as one to an ended actor, also if its process has not quite ended.
        if let known { id.reference.end(with: MeshError(.actorDied, known.message)) }
        return known
            ?? ActorTermination(
                actor: id.uniqueID, typeName: id.typeName, name: id.name, namespace: Registry.defaultNamespace,
                incarnation: id.reference.location.incarnation, cause: .unknown,
                message: "\(id) has ended; the broker does not know how.", node: "", date: .now)
    }

    /// A stream of what changes in the mesh from now on: actors start, restart and end, nodes come and go.
    ///
    /// A reader that is more than 4,096 events behind misses the oldest, and is told how many: its iteration throws
    /// `slowConsumer`, or use `reportingGaps`. When the broker ends the iteration throws `actorDied`; ask again then.
    ///
    /// - Throws: `brokerUnavailable`.
    public func events() async throws -> MeshStream<MeshEvent> {
        try await self.membership.ask { try await $0.events() }
    }

    private static func meshID(of actor: some DistributedActor) throws(MeshError) -> ActorID {
        guard let id = actor.id as? ActorID else {
            throw MeshError(.invalidArgument, "\(actor.id) is no actor of a mesh.")
        }
        return id
    }
}

extension Mesh {
    /// Makes a key worthless; see ``Broker/revoke(_:)``.
    package func revoke(key: KeyIdentity) async throws {
        try await self.membership.ask { try await $0.revoke(key) }
    }
}
