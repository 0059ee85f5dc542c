public import MeshCore

/// Resources that were set aside together, in bundles that each are on one node: all of them or none.
///
/// ```swift
/// let group = try await mesh.placementGroup([.init(cpus: 1, gpus: 1), .init(cpus: 4)], strategy: .strictPack)
/// let trainer = try await mesh.spawn(
///     Trainer.self, options: .init(resources: .init(cpus: 1, gpus: 1), placementGroup: group, bundle: 0))
/// try await mesh.remove(group)
/// ```
///
/// What an actor in a bundle asks for comes out of the bundle. When a node is lost its bundles are placed anew, and the
/// actors in them that may be started again follow.
public struct PlacementGroup: Hashable, Sendable, Codable {
    /// The group's number.
    public let id: UniqueID
    /// How many bundles it has.
    public let count: Int

    package init(id: UniqueID, count: Int) {
        self.id = id
        self.count = count
    }

    /// How the bundles lie to each other.
    public enum Strategy: String, Hashable, Sendable, Codable {
        /// All on one node, or nowhere.
        case strictPack
        /// On few nodes.
        case pack
        /// On many nodes.
        case spread
        /// Each on a node of its own, or nowhere.
        case strictSpread
    }
}

/// Everything that is needed to make a placement group.
package struct PlacementGroupSpec: Hashable, Sendable, Codable {
    package var id: UniqueID
    package var bundles: [Resources]
    package var strategy: PlacementGroup.Strategy
    package var name: String?
    package var namespace: String?
    package var lifetime: ActorOptions.Lifetime
    package var owner: ActorOwner
    /// Whose actors its nodes have to have.
    package var program: String
    /// For how long it may wait, in nanoseconds; nil without end.
    package var timeout: UInt64?

    package init(
        id: UniqueID, bundles: [Resources], strategy: PlacementGroup.Strategy, name: String? = nil,
        namespace: String? = nil, lifetime: ActorOptions.Lifetime, owner: ActorOwner, program: String,
        timeout: UInt64? = nil
    ) {
        self.id = id
        self.bundles = bundles
        self.strategy = strategy
        self.name = name
        self.namespace = namespace
        self.lifetime = lifetime
        self.owner = owner
        self.program = program
        self.timeout = timeout
    }

    package var label: String { self.name.map { "\"\($0)\"" } ?? self.id.short }
}
