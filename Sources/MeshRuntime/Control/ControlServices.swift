package import Distributed
package import MeshCore

/// The numbers of the actors that every mesh has.
package enum WellKnown {
    package static let broker = UniqueID(high: 0, low: 1)
    package static let node = UniqueID(high: 0, low: 2)
    package static let worker = UniqueID(high: 0, low: 3)
    package static let streams = UniqueID(high: 0, low: 4)
}

/// What a broker does for the processes of its mesh.
@Resolvable
package protocol BrokerService: DistributedActor where ActorSystem == Mesh {
    /// Begins the membership of a driver, and tells the mesh's default namespace.
    distributed func join(_ driver: PeerAddress) async throws -> String
    /// Begins the membership of a node.
    distributed func register(_ node: NodeRegistration) async throws
    /// Makes an actor on some node.
    distributed func spawn(_ spec: ActorSpec) async throws -> StartOutcome
    distributed func find(name: String, namespace: String?) async throws -> HandleFields?
    /// Ends an actor. One that has ended already is no error.
    distributed func kill(_ actor: UniqueID) async throws
    distributed func actors() async throws -> [ActorInfo]
    distributed func nodes() async throws -> [NodeInfo]
    /// A worker for tasks of a program, when one is free.
    distributed func leaseWorker(program: String, for owner: PeerID) async throws -> WorkerLease
    /// An actor or a whole process of a node has ended.
    distributed func ended(actors: [UniqueID], worker: PeerID, reason: String) async throws
    distributed func heartbeat(_ peer: PeerID) async throws
}

/// What a node's agent does for its mesh.
@Resolvable
package protocol NodeService: DistributedActor where ActorSystem == Mesh {
    distributed func start(_ spec: ActorSpec) async throws -> StartOutcome
    distributed func stop(_ actor: UniqueID) async throws
    distributed func leaseWorker(program: String, for owner: PeerID) async throws -> WorkerLease
    distributed func returnWorker(_ worker: PeerID) async throws
    /// A worker process that this node started can be used now.
    distributed func workerReady(_ token: UInt64, _ address: PeerAddress) async throws
    distributed func actorEnded(_ actor: UniqueID, reason: String) async throws
}

/// What a worker process does for its node, and for submitters of tasks.
@Resolvable
package protocol WorkerService: DistributedActor where ActorSystem == Mesh {
    distributed func start(_ spec: ActorSpec) async throws -> StartOutcome
    distributed func stop(_ actor: UniqueID) async throws
    distributed func run(_ task: TaskSpec) async throws -> EncodedOutcome
}

extension Mesh {
    /// A handle to one of the well-known actors of a process.
    package func service<Service: DistributedActor>(
        _ type: Service.Type, _ id: UniqueID, at address: PeerAddress
    ) throws -> Service where Service.ActorSystem == Mesh {
        // Each process has its own, so references must not be shared between processes: the reserved number is
        // combined with that of the process.
        let unique = UniqueID(high: 0, low: address.peer.number << 8 | id.low)
        return try self.handle(
            type,
            HandleFields(
                id: unique, typeName: String(reflecting: type), name: nil, window: 1 << 20,
                location: ActorLocation(address: address, incarnation: 0)))
    }

    /// Hosts one of the well-known actors in this process.
    package func hostService<Service: RemoteActor>(
        _ type: Service.Type, _ id: UniqueID, _ make: (Mesh) async throws -> Service
    ) async throws -> ActorID {
        try await self.birth(
            type, id: UniqueID(high: 0, low: self.address.peer.number << 8 | id.low), name: nil, incarnation: 0,
            maxConcurrency: .max, make)
    }
}
