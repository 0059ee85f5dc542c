package import MeshCore

/// What the call path asks of the layer that knows the whole mesh.
///
/// Without one, as in a process that has not joined a mesh, actors are never looked for again and handles are not
/// counted.
package protocol MeshDirectory: Sendable {
    /// Where an actor is that was called in vain. Suspends while it is being started again and while the broker is
    /// away, until the task is cancelled.
    ///
    /// - Parameters:
    ///   - incarnation: the life that was called.
    ///   - hasEnded: whether that life is known to be over; if not, only the way to it broke, and it may be where it was.
    /// - Throws: `actorDied` when it has ended for good, with its cause in words.
    func locate(_ actor: UniqueID, after incarnation: UInt64, hasEnded: Bool) async throws(MeshError) -> ActorLocation

    /// Tells which handles this process has taken or let go. Suspends while the broker is away.
    ///
    /// - Returns: those of the acquired actors that have ended for good, with the cause in words.
    func report(_ changes: HoldChanges) async throws(MeshError) -> [EndedActor]
}

/// Which actors' handles a process has taken and let go since it last told.
///
/// A process's hold on an actor has a number of grants: one for each time that the broker was told of it, or gave a
/// handle by itself in answer to `spawn` or `find`. Letting go gives all of them back, so that a handle that was let go
/// and one that was just given, whose messages may overtake each other, are told apart.
package struct HoldChanges: Hashable, Sendable, Codable {
    package var acquired: [UniqueID]
    package var released: [Released]
    /// Whether `acquired` is everything that the process holds, with one grant each, and replaces what was known.
    package var isComplete: Bool

    package struct Released: Hashable, Sendable, Codable {
        package var actor: UniqueID
        package var grants: Int

        package init(actor: UniqueID, grants: Int) {
            self.actor = actor
            self.grants = grants
        }
    }

    package init(acquired: [UniqueID] = [], released: [Released] = [], isComplete: Bool = false) {
        self.acquired = acquired
        self.released = released
        self.isComplete = isComplete
    }

    package var isEmpty: Bool { self.acquired.isEmpty && self.released.isEmpty && !self.isComplete }
}

/// An actor that has ended for good, and why, in words.
package struct EndedActor: Hashable, Sendable, Codable {
    package var actor: UniqueID
    package var reason: String

    package init(actor: UniqueID, reason: String) {
        self.actor = actor
        self.reason = reason
    }
}
