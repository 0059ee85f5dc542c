import CMeshPlatform
import Distributed
package import MeshCore
import Synchronization

/// How an actor ends in good order.
extension HostedActor {
    /// Returns when no call waits or runs, or the task is cancelled.
    package func waitUntilIdle() async {
        let waiter = IdleWaiter()
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                waiter.set(continuation)
                if Task.isCancelled || !self.watchIdle(waiter) { waiter.resume() }
            }
        } onCancel: {
            waiter.resume()
        }
    }

    /// Refuses further calls, lets those that it has accepted run, cleans up, and ends the actor; after the time,
    /// whatever runs is cut off.
    ///
    /// - Parameters:
    ///   - nanoseconds: how long it may take in all.
    ///   - error: what calls get that come too late.
    package func stop(within nanoseconds: UInt64, because cause: ActorTermination.Cause, with error: MeshError) async {
        let deadline = cmesh_monotonic_nanoseconds() &+ min(nanoseconds, 1 << 62)
        self.refuseFurther(with: error)
        await self.bounded(by: deadline) { await self.waitUntilIdle() }
        let cleanUpDeadline = min(deadline, cmesh_monotonic_nanoseconds() + Self.cleanUpTime)
        await self.bounded(by: cleanUpDeadline) { await self.cleanUp(because: cause) }
        self.mesh.endActor(self.id, because: error)
    }

    /// How long an actor may clean up.
    static let cleanUpTime: UInt64 = 5_000_000_000

    /// The actor has asked for its own end: it refuses what waits and what comes, and ends when what runs has ended.
    func beginExit() {
        let error = MeshError(.actorDied, self.exitMessage)
        self.refuseWaiting(with: error)
        guard self.exits.first() else { return }
        self.mesh.detach {
            await self.mesh.onActorExiting.withLock { $0 }?(self.id, self.incarnation)
            await self.waitUntilIdle()
            let deadline = cmesh_monotonic_nanoseconds() + Self.cleanUpTime
            await self.bounded(by: deadline) { await self.cleanUp(because: .exited) }
            self.mesh.endActor(self.id, because: error)
            self.mesh.onActorExit.withLock { $0 }?(self.id, self.incarnation)
        }
    }

    var exitMessage: String { "\(self.label) has ended: it ended itself." }

    /// Runs work in a task of its own, which is cancelled and left to itself at a time.
    private func bounded(by deadline: UInt64, _ work: @escaping @Sendable () async -> Void) async {
        let waiter = IdleWaiter()
        let task = self.mesh.detach {
            await work()
            waiter.resume()
        }
        let alarm = self.mesh.schedule(at: deadline) {
            task.cancel()
            waiter.resume()
        }
        await withUnsafeContinuation { waiter.set($0) }
        self.mesh.timers.cancel(alarm)
    }

    private func cleanUp(because cause: ActorTermination.Cause) async {
        guard let actor = self.instance as? any RemoteActor else { return }
        await Self.cleanUp(actor, because: cause)
        await self.storeChanges()
    }

    private static func cleanUp<Act: RemoteActor>(_ actor: Act, because cause: ActorTermination.Cause) async {
        await actor.whenLocal { await $0.cleanUp(because: cause) }
    }
}

/// Somebody who waits, and is resumed once.
final class IdleWaiter: Sendable {
    private struct State {
        var continuation: UnsafeContinuation<Void, Never>?
        var isResumed = false
    }

    private let state = Mutex(State())

    func set(_ continuation: UnsafeContinuation<Void, Never>) {
        let isResumed = self.state.withLock { state in
            if !state.isResumed { state.continuation = continuation }
            return state.isResumed
        }
        if isResumed { continuation.resume() }
    }

    func resume() {
        let continuation = self.state.withLock { state in
            state.isResumed = true
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume()
    }
}
