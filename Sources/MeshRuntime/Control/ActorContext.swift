import Distributed
public import MeshCore

/// What the code that runs now can know of the actor that it is part of, and do to it.
///
/// ```swift
/// distributed func retire() throws -> Never { try ActorContext.current.exit() }
/// ```
public struct ActorContext: Sendable {
    private let hosted: HostedActor?
    private let birth: Birth?

    /// The context of the running call, or initialiser. It is there everywhere; outside of actors it says so.
    public static var current: ActorContext {
        ActorContext(hosted: MeshScope.current?.call?.hosted, birth: Birth.current)
    }

    /// Whether an actor's method or initialiser runs here, or code that it started.
    public var isInActor: Bool { self.id != nil }

    /// The actor's number; nil outside of actors.
    public var id: UniqueID? { self.birth?.id ?? self.hosted?.id }

    /// The name it was spawned with; nil for none, and outside of actors.
    public var name: String? { self.birth?.name ?? self.hosted?.name }

    /// Which life of the actor this is, counted from 1: above 1 after a restart. 0 outside of actors.
    public var incarnation: UInt64 { self.birth?.incarnation ?? self.hosted?.incarnation ?? 0 }

    /// Whether the actor is being made or was made again after it had died.
    public var isRestarted: Bool { self.incarnation > 1 }

    /// The numbers of the GPUs that the actor, or the task, has on its node, counted from 0 there; empty when it asked for
    /// none, and in a driver. Several who have parts of a GPU have the same number.
    ///
    /// What CUDA calls them is in `CUDA_VISIBLE_DEVICES`, in the same order: for CUDA they are always 0, 1, and so on.
    public var gpuIDs: [Int] { ProcessGPUs.ids }

    /// Ends the actor from inside.
    ///
    /// It throws, and the caller of the current call gets `actorDied`, which says that the actor ended itself. Calls
    /// that were running beside it finish; those that waited, and all that come, fail with `actorDied`. Then
    /// ``RemoteActor/cleanUp(because:)`` runs, and the actor is gone: it is not restarted, whatever its `maxRestarts`.
    ///
    /// - Throws: always. Outside of a spawned actor, and in an initialiser, `invalidArgument`; there, throw an error of
    ///   your own.
    public func exit() throws -> Never {
        guard self.birth == nil, let hosted, hosted.isOwned, !hosted.id.isReserved else {
            throw MeshError(
                .invalidArgument, "exit() ends the actor whose method runs; nothing that could be ended so runs here.")
        }
        hosted.beginExit()
        throw ActorExit(message: hosted.exitMessage)
    }
}

/// Ends the call in which an actor ended itself.
struct ActorExit: Error {
    let message: String
}
