package import Distributed
package import MeshCore
import Synchronization

/// The numbers of the actors that every mesh has.
package enum WellKnown {
    package static let broker = UniqueID(high: 0, low: 1)
    package static let node = UniqueID(high: 0, low: 2)
    package static let worker = UniqueID(high: 0, low: 3)
    package static let streams = UniqueID(high: 0, low: 4)
    package static let objects = UniqueID(high: 0, low: 6)
    package static let pools = UniqueID(high: 0, low: 7)
    package static let statistics = UniqueID(high: 0, low: 9)
    package static let logs = UniqueID(high: 0, low: 11)
    /// No actor: under this number a broker's store has the keys that were revoked.
    package static let revokedKeys = UniqueID(high: 0, low: 5)
    /// No actor: under this number a broker's store has the placement groups.
    package static let placementGroups = UniqueID(high: 0, low: 6)

    /// Each process has its own, so references must not be shared between processes: the reserved number is combined
    /// with that of the process.
    package static func unique(_ id: UniqueID, in peer: PeerID) -> UniqueID {
        UniqueID(high: 0, low: peer.number << 8 | id.low)
    }
}

extension Mesh {
    /// One of the well-known actors of a process: itself when it lives here, where no message is needed, else a handle.
    package func service<Service: DistributedActor>(
        _ type: Service.Type, _ id: UniqueID, at address: PeerAddress
    ) throws -> Service where Service.ActorSystem == Mesh {
        let unique = WellKnown.unique(id, in: address.peer)
        if address.peer == self.address.peer,
            let local = self.hosts.withLock({ $0[unique] })?.instance as? Service
        {
            return local
        }
        return try self.handle(
            type,
            HandleFields(
                id: unique, typeName: _typeName(type), name: nil,
                window: 1 << 20,
                location: ActorLocation(address: address, incarnation: 0)))
    }

    /// Hosts one of the well-known actors in this process.
    package func hostService<Service: DistributedActor>(
        _ type: Service.Type, _ id: UniqueID, _ make: (Mesh) async throws -> Service
    ) async throws -> ActorID where Service.ActorSystem == Mesh {
        try await self.birth(
            type, id: WellKnown.unique(id, in: self.address.peer), name: nil, incarnation: 0,
            maxConcurrency: .max, make)
    }

    /// Hosts one of the well-known actors whose initialiser awaits nothing.
    func hostService<Service: DistributedActor>(
        _ type: Service.Type, as id: UniqueID, _ make: (Mesh) -> Service
    ) where Service.ActorSystem == Mesh {
        let reference = self.makeReference(
            id: WellKnown.unique(id, in: self.address.peer), type: type, name: nil, incarnation: 0, window: nil)
        let birth = Birth(reference: reference, type: type, incarnation: 0)
        let actor = Birth.$current.withValue(birth) { make(self) }
        self.host(actor, reference: reference, incarnation: 0, maxConcurrency: .max, isOwned: true)
    }
}
