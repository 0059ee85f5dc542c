public import FoundationEssentials
public import MeshCore

/// Something that changed in the mesh, as the broker saw it.
public struct MeshEvent: Hashable, Sendable, Codable {
    /// What happened.
    public var kind: Kind
    /// When, by the clock of the broker's host.
    public var date: Date
    /// The actor that it happened to, or the node by its name.
    public var subject: String
    /// The actor's number; nil for a node.
    public var actor: UniqueID?
    /// Which life of the actor; 0 for a node.
    public var incarnation: UInt64
    /// How and why an actor ended; only with ``Kind/actorEnded``.
    public var termination: ActorTermination?
    /// For people.
    public var message: String

    /// Makes an event.
    package init(
        _ kind: Kind, date: Date, subject: String, actor: UniqueID? = nil, incarnation: UInt64 = 0,
        termination: ActorTermination? = nil, message: String
    ) {
        self.kind = kind
        self.date = date
        self.subject = subject
        self.actor = actor
        self.incarnation = incarnation
        self.termination = termination
        self.message = message
    }

    /// What can happen.
    public enum Kind: String, Hashable, Sendable, Codable {
        /// An actor's initialiser has ended, in its first or in a later life.
        case actorStarted
        /// An actor died and will be started again.
        case actorRestarting
        /// An actor ended for good.
        case actorEnded
        /// A node joined the mesh.
        case nodeJoined
        /// A node left, ended, or was not heard for the lease time.
        case nodeLost
    }
}
