import Distributed
import FoundationEssentials
import MeshCore
public import MeshRuntime

extension Mesh {
    /// Sets resources aside in bundles, all of them or none; returns when it has them.
    ///
    /// The group ends with the actor or the program that made it, unless it is detached, and with it the actors in it.
    ///
    /// ```swift
    /// let group = try await mesh.placementGroup([.init(cpus: 2), .init(cpus: 2)], strategy: .strictSpread)
    /// let one = try await mesh.spawn(Shard.self, options: .init(resources: .init(cpus: 2), placementGroup: group, bundle: 0))
    /// ```
    ///
    /// - Parameters:
    ///   - bundles: what each has; a bundle is on one node.
    ///   - strategy: how the bundles lie to each other.
    ///   - name: by which ``placementGroup(named:namespace:)`` finds it.
    ///   - timeout: for how long to wait for the resources; nil for any time.
    /// - Throws: `insufficientResources` at once when no nodes could ever hold it; `deadlineExceeded` after the timeout,
    ///   with what it waited for; `invalidArgument`, `nameTaken`, `brokerUnavailable`. There is no group then.
    public func placementGroup(
        _ bundles: [Resources], strategy: PlacementGroup.Strategy = .pack, name: String? = nil,
        namespace: String? = nil, lifetime: ActorOptions.Lifetime = .owned, timeout: Duration? = nil
    ) async throws -> PlacementGroup {
        let membership = try self.membership
        let spec = PlacementGroupSpec(
            id: .make(), bundles: bundles, strategy: strategy, name: name, namespace: namespace, lifetime: lifetime,
            owner: self.currentOwner, program: membership.program, timeout: timeout?.nanoseconds)
        try await membership.ask { try await $0.addGroup(spec) }
        return PlacementGroup(id: spec.id, count: bundles.count)
    }

    /// The placement group of a name.
    ///
    /// - Throws: `actorNotFound` when there is none that is placed.
    public func placementGroup(named name: String, namespace: String? = nil) async throws -> PlacementGroup {
        let group = try await self.membership.ask { try await $0.findGroup(name, namespace: namespace) }
        guard let group else {
            throw MeshError(.actorNotFound, "No placement group is called \"\(name)\".")
        }
        return group
    }

    /// Removes a placement group: the actors in it are killed. Returns when its resources are free. Removing one that is
    /// gone is no error.
    public func remove(_ group: PlacementGroup) async throws {
        try await self.membership.ask { try await $0.removeGroup(group.id) }
    }
}
