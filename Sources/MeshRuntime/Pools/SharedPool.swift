package import Distributed
package import MeshCore
import Synchronization

/// What a pool is among the objects of the process that made it: it is there as long as anybody has the pool.
///
/// `@unchecked Sendable`: `core` is set before anybody else has the anchor.
final class PoolAnchor<Act: RemoteActor>: PendingResult, @unchecked Sendable {
    private var core: PoolCore<Act>?

    func stand(for core: PoolCore<Act>) {
        self.core = core
        self.finish {}
    }

    override var anyOutcome: (any AnyObjectOutcome)? { self.core.map(SharedPool.init) }
}

/// A pool whose members other processes ask for.
protocol AnySharedPool: AnyObjectOutcome {
    func member(for holder: PeerID, _ ticket: UInt64) async throws -> ActorID
    func abandon(_ holder: PeerID, _ ticket: UInt64)
    func done(_ member: UniqueID, by holder: PeerID, _ ticket: UInt64, isDead: Bool) -> PoolStatus
    func forget(_ holder: PeerID)
}

struct SharedPool<Act: RemoteActor>: AnySharedPool {
    let core: PoolCore<Act>

    func answer(on mesh: Mesh) async throws -> PreparedAnswer {
        throw MeshError(.invalidArgument, "This is a pool, and no object with a value.")
    }

    func member(for holder: PeerID, _ number: UInt64) async throws -> ActorID {
        let ticket = PoolCore<Act>.Ledger.Ticket(holder, number)
        let answer = PoolMember<Act>()
        let core = self.core
        core.ask(ticket) { answer.complete($0) }
        let actor = try await withTaskCancellationHandler {
            try await answer.value()
        } onCancel: {
            core.withdraw(ticket)
        }
        guard !Task.isCancelled else {
            // Nobody hears of it any more.
            core.abandon(ticket)
            throw MeshError(.cancelled, "The work was cancelled before a member of the pool was free.")
        }
        return actor.id
    }

    func abandon(_ holder: PeerID, _ ticket: UInt64) { self.core.abandon(.init(holder, ticket)) }

    func done(_ member: UniqueID, by holder: PeerID, _ ticket: UInt64, isDead: Bool) -> PoolStatus {
        self.core.done(member, by: .init(holder, ticket), isDead: isDead)
        return PoolStatus(count: self.core.count, hasFree: self.core.hasFree)
    }

    func forget(_ holder: PeerID) { self.core.forget(holder) }
}

/// How a pool stands. MessagePack: `[count, has free]`.
package struct PoolStatus: Hashable, Sendable, Codable {
    package var count: Int
    package var hasFree: Bool
}

/// Where other processes ask for members of this process's pools.
package distributed actor PoolHost {
    package typealias ActorSystem = Mesh

    init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    private func pool(_ id: UniqueID) throws -> any AnySharedPool {
        guard let pool = self.actorSystem.objects.find(id)?.outcome as? any AnySharedPool else {
            throw MeshError(.actorDied, "The pool has ended: nobody had it any more.")
        }
        return pool
    }

    /// A member for the caller; waits until one is free.
    package distributed func member(of pool: UniqueID, ticket: UInt64) async throws -> ActorID {
        let caller = CallOrigin.current?.peer ?? .anyone
        return try await self.pool(pool).member(for: caller, ticket)
    }

    /// A member has done what the caller wanted of it.
    package distributed func done(
        _ member: UniqueID, of pool: UniqueID, ticket: UInt64, isDead: Bool
    ) async throws -> PoolStatus {
        try self.pool(pool).done(member, by: CallOrigin.current?.peer ?? .anyone, ticket, isDead: isDead)
    }
}

extension PoolHost {
    /// The caller does not want a member any more that it asked for, whether it was given one or not.
    package distributed func abandon(_ pool: UniqueID, ticket: UInt64) async throws {
        try self.pool(pool).abandon(CallOrigin.current?.peer ?? .anyone, ticket)
    }
}

extension PoolHost: RoleGuarded {
    /// Whoever knows a pool's number was given the pool.
    package static func permits(_ method: String, to role: MeshRole) -> Bool { role == .driver }
}

/// A pool that another process made.
final class RemotePool<Act: RemoteActor>: PoolMembers {
    let id: UniqueID
    let address: PeerAddress
    let mesh: Mesh
    /// Keeps the pool in the process that made it.
    let lease: HandleLease
    private let status: Mutex<PoolStatus>

    init(_ id: UniqueID, at address: PeerAddress, status: PoolStatus, on mesh: Mesh) {
        self.id = id
        self.address = address
        self.mesh = mesh
        self.lease = mesh.lease(for: id)
        self.status = Mutex(status)
    }

    var count: Int { self.status.withLock { $0.count } }
    var hasFree: Bool { self.status.withLock { $0.hasFree } }
    // Whoever asks in vain is told so.
    var isManned: Bool { true }

    private func host() throws -> PoolHost { try self.mesh.service(PoolHost.self, WellKnown.pools, at: self.address) }

    func ask(_ settle: @escaping @Sendable () -> Void) -> PoolAcquisition<Act> {
        // The process may have the pool several times.
        let ticket = UniqueID.make().low
        // Begun here, so that whoever asked first is served first.
        let question = MeshScope.$current.withValue(nil) {
            Task.immediate(executorPreference: self.mesh.executor) {
                try await self.host().member(of: self.id, ticket: ticket)
            }
        }
        return PoolAcquisition {
            do {
                let id = try await withTaskCancellationHandler {
                    try await question.value
                } onCancel: {
                    question.cancel()
                }
                return try Act.resolve(id: id, using: self.mesh)
            } catch {
                // It may have been given one all the same.
                self.mesh.detach { try await self.host().abandon(self.id, ticket: ticket) }
                throw error
            }
        } release: { actor, isDead in
            let id = actor.id.uniqueID
            self.mesh.detach {
                let status = try await self.host().done(id, of: self.id, ticket: ticket, isDead: isDead)
                self.status.withLock { $0 = status }
            }
        }
    }
}

extension ActorPool: Codable {
    /// Reads a pool that was passed on, inside of what a mesh received.
    ///
    /// MessagePack: `[pool, address, count, has free]`.
    ///
    /// - Throws: `DecodingError` when the decoder is not one of a mesh's own.
    public convenience init(from decoder: any Decoder) throws {
        guard let mesh = decoder.userInfo[.actorSystemKey] as? Mesh else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "A pool can only be read by a mesh."))
        }
        var container = try decoder.unkeyedContainer()
        let id = try container.decode(UniqueID.self)
        let address = try container.decode(PeerAddress.self)
        let count = try container.decode(Int.self)
        let status = PoolStatus(count: min(max(0, count), 1 << 20), hasFree: try container.decode(Bool.self))
        guard id.owner == address.peer else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "The pool is another process's.")
        }
        if address.peer == mesh.address.peer, let shared = mesh.objects.find(id)?.outcome as? SharedPool<Act> {
            self.init(members: LocalPool(shared.core))
        } else {
            self.init(members: RemotePool(id, at: address, status: status, on: mesh))
        }
    }

    /// Writes the pool, and has it kept until the receiver does so itself.
    public func encode(to encoder: any Encoder) throws {
        guard let mesh = encoder.userInfo[.actorSystemKey] as? Mesh else {
            throw EncodingError.invalidValue(
                self, .init(codingPath: encoder.codingPath, debugDescription: "A pool can only be passed on by a mesh.")
            )
        }
        let (id, address, lease): (UniqueID, PeerAddress, HandleLease)
        switch self.members {
        case let local as LocalPool<Act>:
            let anchor = local.anchor(on: mesh)
            mesh.preparePools()
            (id, address, lease) = (anchor.id, mesh.address, mesh.share(anchor))
        case let remote as RemotePool<Act>: (id, address, lease) = (remote.id, remote.address, remote.lease)
        default: return
        }
        var container = encoder.unkeyedContainer()
        try container.encode(id)
        try container.encode(address)
        try container.encode(self.count)
        try container.encode(self.hasFree)
        encoder.handleSink?.note(lease)
    }
}

extension Mesh {
    /// Makes the actor that other processes ask for members of pools, once.
    fileprivate func preparePools() {
        self.objects.prepare(.pools) {
            self.hostService(PoolHost.self, as: WellKnown.pools) { PoolHost(actorSystem: $0) }
            self.onPeerLost { [weak self] peer, _ in
                for outcome in self?.objects.outcomes ?? [] { (outcome as? any AnySharedPool)?.forget(peer) }
            }
        }
    }
}
