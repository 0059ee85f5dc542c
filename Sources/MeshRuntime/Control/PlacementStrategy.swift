public import Distributed
package import MeshCore

/// Which of the nodes that have room for an actor it is put on.
public struct PlacementStrategy: Hashable, Sendable, Codable {
    package enum Kind: Hashable, Sendable, Codable {
        case pack
        case spread
        case beside(UniqueID)
        case away(UniqueID)
    }

    package var kind: Kind

    package init(_ kind: Kind) { self.kind = kind }

    /// The fullest one, so that others stay free for those who need much.
    public static let pack = PlacementStrategy(.pack)

    /// The emptiest one: the least used part of what the actor asks for, then the fewest actors. This is the default.
    public static let spread = PlacementStrategy(.spread)

    /// The node on which another actor is then. While that one is nowhere, it waits; when it has ended, any node will do.
    /// An actor that is started again goes where the other one is by then.
    ///
    /// The other actor is not kept alive by this.
    public static func beside<Act: DistributedActor>(_ actor: Act) -> PlacementStrategy
    where Act.ActorSystem == Mesh {
        PlacementStrategy(.beside(actor.id.uniqueID))
    }

    /// Any node but the one on which another actor is then. When that one has ended, any node will do.
    public static func away<Act: DistributedActor>(from actor: Act) -> PlacementStrategy
    where Act.ActorSystem == Mesh {
        PlacementStrategy(.away(actor.id.uniqueID))
    }
}
