import Distributed
import MeshCore
import Synchronization

/// Where a pool's members are given out.
protocol PoolMembers<Act>: Sendable {
    associatedtype Act: RemoteActor

    var count: Int { get }
    var hasFree: Bool { get }
    /// Whether there are members, or will be.
    var isManned: Bool { get }
    /// Asks for a member, in the order of the calls.
    ///
    /// - Parameter settle: called when there is one, or there will be none.
    func ask(_ settle: @escaping @Sendable () -> Void) -> PoolAcquisition<Act>
}

/// A member that was asked for.
struct PoolAcquisition<Act: RemoteActor>: Sendable {
    /// The member, when it is there.
    ///
    /// Throws `cancelled` when the task is cancelled before, and what is wrong with the pool.
    let member: @Sendable () async throws -> Act
    /// It has done what it was asked for.
    let release: @Sendable (Act, _ isDead: Bool) -> Void

    func done(_ actor: Act, isDead: Bool) { self.release(actor, isDead) }
}

/// A pool in the process that made it.
final class LocalPool<Act: RemoteActor>: PoolMembers {
    let core: PoolCore<Act>
    /// What the pool is for other processes, once it was passed on.
    private let anchor = Mutex<PoolAnchor<Act>?>(nil)

    init(_ core: PoolCore<Act>) { self.core = core }

    var count: Int { self.core.count }
    var hasFree: Bool { self.core.hasFree }
    var isManned: Bool { self.core.isManned }

    func ask(_ settle: @escaping @Sendable () -> Void) -> PoolAcquisition<Act> {
        // Others of this process may ask in the name of the same pool.
        let ticket = PoolCore<Act>.Ledger.Ticket(.anyone, UniqueID.make().low)
        let answer = PoolMember<Act>()
        let core = self.core
        core.ask(ticket) { result in
            settle()
            answer.complete(result)
        }
        return PoolAcquisition {
            try await withTaskCancellationHandler {
                try await answer.value()
            } onCancel: {
                core.withdraw(ticket)
            }
        } release: { actor, isDead in
            core.done(actor.id.uniqueID, by: ticket, isDead: isDead)
        }
    }

    /// What stands for the pool among the objects of this process.
    func anchor(on mesh: Mesh) -> PoolAnchor<Act> {
        self.anchor.withLock { anchor in
            if let known = anchor { return known }
            let new = PoolAnchor<Act>(UniqueID.makeObject(of: mesh.address.peer))
            new.stand(for: self.core)
            anchor = new
            return new
        }
    }
}

/// A member that is on its way to who asked for it.
final class PoolMember<Act: RemoteActor>: Sendable {
    private struct State {
        var result: Result<Act, MeshError>?
        var waiter: UnsafeContinuation<Result<Act, MeshError>, Never>?
    }

    private let state = Mutex(State())

    func complete(_ result: Result<Act, MeshError>) {
        let waiter = self.state.withLock { state in
            state.result = result
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: result)
    }

    /// Awaited once.
    func value() async throws -> Act {
        let result = await withUnsafeContinuation { continuation in
            let known = self.state.withLock { state in
                if state.result == nil { state.waiter = continuation }
                return state.result
            }
            if let known { continuation.resume(returning: known) }
        }
        return try result.get()
    }
}
