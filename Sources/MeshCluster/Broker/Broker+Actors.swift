import Distributed
import FoundationEssentials
import Logging
package import MeshCore
package import MeshRuntime

/// Actors begin and end.
extension Broker {
    // MARK: What members ask for

    /// Makes an actor on some node.
    ///
    /// - Parameter holder: the process that gets the handle.
    package distributed func spawn(_ spec: ActorSpec, holder: PeerID?) async throws -> SpawnOutcome {
        try CallOrigin.requireSpeaking(for: holder)
        if !spec.isDetached { try CallOrigin.requireSpeaking(for: spec.owner.process) }
        await self.awaitEnd(ofNameOf: spec)
        let listed = try await self.withReturningNodes {
            try self.note { registry, now in try registry.spawn(spec, holder: holder, at: now) }
        }
        let (spec, node) = try await self.placed(listed)
        switch try await self.start(spec, on: node).get() {
        case .started(var handle):
            do {
                try await self.stored()
            } catch {
                await self.withdraw(spec, error)
                throw error
            }
            handle.isWeak = holder == nil
            return .started(GrantedHandle(handle))
        case .failed(let error): return .failed(error)
        case .crashed(_, let reason): return .crashed(reason)
        }
    }

    /// Waits until an actor that is to begin its first life has a node. One that nobody waits for any more does not begin.
    private func placed(_ spec: ActorSpec) async throws -> (ActorSpec, PeerID) {
        while let entry = self.registry.entries[spec.id] {
            let changes = self.waiters.changes
            switch entry.phase {
            case .starting:
                if let node = entry.node { return (entry.spec, node) }
            case .pending where Task.isCancelled:
                let death = Registry.Death(.killed, "Whoever spawned it does not wait for it any more.")
                self.note { $0.end(spec.id, .kill, death, at: $1) }
                throw CancellationError()
            default: break
            }
            await self.waiters.wait(for: spec.id, since: changes)
        }
        let termination = self.registry.terminations[spec.id]
        throw MeshError(
            termination?.cause == .notPlaced ? .deadlineExceeded : .actorDied,
            termination?.message ?? "\(spec.label) has ended before it was placed.")
    }

    /// Waits for the news that the actor whose name is asked for has ended, if it has: whoever saw its process die may
    /// be here sooner than what its node says of that.
    private func awaitEnd(ofNameOf spec: ActorSpec) async {
        guard let name = spec.options.name,
            let entry = try? self.registry.find(name: name, namespace: spec.options.namespace)
        else { return }
        if entry.phase == .alive, let node = entry.node {
            let lives = try? await self.node(node).hasLivingProcess(entry.spec.id)
            guard lives == false else { return }
        }
        while !Task.isCancelled {
            let changes = self.waiters.changes
            switch self.registry.entries[entry.spec.id] {
            case .some(let now) where now.spec.incarnation == entry.spec.incarnation && now.phase.mayHaveDied:
                await self.waiters.wait(for: entry.spec.id, since: changes)
            default: return
            }
        }
    }

    /// Ends an actor that could not be stored, and of which nobody has heard.
    private func withdraw(_ spec: ActorSpec, _ error: MeshError) async {
        let death = Registry.Death(.unknown, "It could not be stored: \(error.message)")
        self.note { $0.end(spec.id, .kill, death, at: $1) }
        await self.waitUntilEnded(spec.id, spec.incarnation)
    }

    /// A handle to the actor of a name, once its initialiser has ended; nil when there is none.
    ///
    /// - Parameter holder: the process that gets the handle; nil for one that does not count.
    package distributed func find(name: String, namespace: String?, holder: PeerID?) async throws -> GrantedHandle? {
        try CallOrigin.requireSpeaking(for: holder)
        while true {
            let changes = self.waiters.changes
            guard let entry = try self.registry.find(name: name, namespace: namespace) else { return nil }
            if let address = entry.address, entry.phase == .alive {
                if self.journal?.isPending(entry.spec.id) == true {
                    // One that cannot be written is ended, and must not have been found.
                    try await self.stored()
                    continue
                }
                if let holder {
                    let counts = self.note { registry, _ in registry.grant(entry.spec.id, to: holder) }
                    guard counts else {
                        throw MeshError(
                            .brokerUnavailable, "The broker has given this process up; try again when it has joined.")
                    }
                }
                var fields = entry.spec.handle(at: address)
                fields.isWeak = holder == nil
                return GrantedHandle(fields)
            }
            try Task.checkCancellation()
            await self.waiters.wait(for: entry.spec.id, since: changes)
        }
    }

    /// Where an actor is that was called in vain; see ``MeshDirectory``.
    ///
    /// Whoever says that a life is over may be wrong. If it is still listed when every death should have been heard of, he
    /// is told to try again there.
    package distributed func locate(
        _ actor: UniqueID, after incarnation: UInt64, hasEnded: Bool
    ) async throws -> ActorLocation {
        let mesh = self.actorSystem
        let patience = self.now + (hasEnded ? mesh.settings.leaseTime.nanoseconds : 0)
        let alarm = hasEnded ? mesh.schedule(at: patience) { [waiters] in waiters.wake(actor) } : nil
        defer { if let alarm { mesh.timers.cancel(alarm) } }
        while true {
            let changes = self.waiters.changes
            guard self.mayLive(actor) else { break }
            if let entry = self.registry.entries[actor], entry.phase == .alive, let address = entry.address,
                entry.spec.incarnation > incarnation
                    || (entry.spec.incarnation == incarnation && self.now >= patience)
            {
                return ActorLocation(address: address, incarnation: entry.spec.incarnation)
            }
            // One that was refused by an actor which finishes its last calls need not wait for those.
            if hasEnded, let reason = self.registry.finalReason(of: actor) { throw MeshError(.actorDied, reason) }
            try Task.checkCancellation()
            await self.waiters.wait(for: actor, since: changes)
        }
        // A call must not hang because a disk is full: after one attempt it is told what is so now.
        try? await self.stored()
        let reason = self.registry.terminations[actor]?.message ?? "The broker does not know actor \(actor.short)."
        throw MeshError(.actorDied, reason)
    }

    private func mayLive(_ actor: UniqueID) -> Bool {
        self.registry.entries[actor] != nil || self.registry.mayReturn(actor, at: self.now)
    }

    /// Ends an actor at once. Returns when it has ended, or when it begins its next life. One that has ended already
    /// is no error.
    package distributed func kill(_ actor: UniqueID, restart: Bool) async throws {
        guard let entry = self.registry.entries[actor] else { return try await self.stored() }
        self.note { $0.kill(actor, restart: restart, by: "", at: $1) }
        await self.waitUntilEnded(actor, entry.spec.incarnation)
        try await self.stored()
    }

    /// Lets an actor finish what it has accepted, for so many nanoseconds at most, and ends it.
    package distributed func stop(_ actor: UniqueID, within time: UInt64) async throws {
        guard let entry = self.registry.entries[actor] else { return try await self.stored() }
        self.note { $0.stop(actor, within: time, at: $1) }
        await self.waitUntilEnded(actor, entry.spec.incarnation)
        try await self.stored()
    }

    private func waitUntilEnded(_ actor: UniqueID, _ incarnation: UInt64) async {
        while !Task.isCancelled {
            let changes = self.waiters.changes
            guard self.registry.isEnding(actor, incarnation: incarnation) else { return }
            await self.waiters.wait(for: actor, since: changes)
        }
    }

    /// How an actor ended for good; waits until it has.
    package distributed func termination(of actor: UniqueID) async throws -> ActorTermination? {
        while true {
            let changes = self.waiters.changes
            guard self.mayLive(actor) else { break }
            try Task.checkCancellation()
            await self.waiters.wait(for: actor, since: changes)
        }
        try await self.storedAtLast()
        return self.registry.terminations[actor]
    }

    /// Everything that changes from now on.
    package distributed func events() -> MeshStream<MeshEvent> {
        let (stream, continuation) = MeshStream.makeStream(
            of: MeshEvent.self, bufferingLimit: 4096, onFull: .skipOldest)
        self.listeners.append(continuation)
        return stream
    }

    /// What a process says of its handles. Returns those that it took of actors which have ended.
    ///
    /// - Parameter node: the node whose worker it is; nil for others.
    package distributed func report(
        _ changes: HoldChanges, by process: PeerID, on node: PeerID?
    ) async throws -> [EndedActor] {
        try CallOrigin.requireSpeaking(for: process)
        // Workers have the key of their node.
        try CallOrigin.requireSpeaking(for: node)
        return self.note { registry, now in registry.report(changes, by: process, on: node, at: now) }
    }

    // MARK: What nodes say

    /// A node has a new worker process.
    package distributed func workerStarted(_ worker: PeerID, on node: PeerID) async throws {
        self.note { registry, _ in registry.workerStarted(worker, on: node) }
    }

    /// A worker process of a node has ended, with the actors in it.
    package distributed func workerEnded(_ worker: PeerID, _ end: ProcessEnd, reason: String) async throws {
        let cause: ActorTermination.Cause = end.isOutOfMemory ? .outOfMemory : .processCrashed
        self.note { $0.lost(worker, Registry.Death(cause, process: end, reason), at: $1) }
        try await self.storedAtLast()
    }

    /// An actor has ended itself.
    package distributed func exited(_ actor: UniqueID, incarnation: UInt64) async throws {
        self.note { $0.exited(actor, incarnation: incarnation, at: $1) }
        try await self.storedAtLast()
    }

    // MARK: What nodes are told

    /// Starts an actor on a node, and notes the outcome.
    func start(_ spec: ActorSpec, on node: PeerID) async -> Result<StartOutcome, any Error> {
        let outcome: StartOutcome
        do {
            outcome = try await self.node(node).start(spec)
        } catch {
            let reason = (error as? MeshError)?.message ?? "\(error)"
            self.note {
                // It may have reached the node all the same.
                $0.startFailed(
                    spec.id, incarnation: spec.incarnation, Registry.Death(.nodeLost, reason), isCertain: false, at: $1)
            }
            return .failure(error)
        }
        switch outcome {
        case .started(let handle):
            self.note {
                $0.started(
                    spec.id, incarnation: spec.incarnation, at: handle.location.address, on: node, at: $1)
            }
            guard self.registry.entries[spec.id]?.phase == .alive else {
                return .failure(MeshError(.actorDied, "\(spec.label) was ended while it started."))
            }
            return .success(.started(spec.handle(at: handle.location.address)))
        case .failed:
            let death = Registry.Death(.constructorFailed, "Its initialiser failed.")
            self.note { $0.startFailed(spec.id, incarnation: spec.incarnation, death, at: $1) }
        case .crashed(let process, let reason):
            let cause: ActorTermination.Cause = process.isOutOfMemory ? .outOfMemory : .processCrashed
            let death = Registry.Death(cause, process: process, reason)
            self.note { $0.startFailed(spec.id, incarnation: spec.incarnation, death, at: $1) }
        }
        return .success(outcome)
    }

    func end(
        _ actor: UniqueID, _ incarnation: UInt64, on node: PeerID, _ mode: EndMode, _ cause: ActorTermination.Cause
    ) async {
        do {
            let process = try await self.node(node).end(actor, incarnation: incarnation, mode, because: cause)
            self.note { $0.ended(actor, incarnation: incarnation, process: process, at: $1) }
        } catch {
            // The node is gone, and the actor with it, which its loss tells; or it will be asked again.
            self.actorSystem.logger.debug("an actor could not be ended", metadata: ["error": "\(error)"])
            self.retryEnd(actor, incarnation, on: node, mode, cause)
        }
    }

    private func retryEnd(
        _ actor: UniqueID, _ incarnation: UInt64, on node: PeerID, _ mode: EndMode, _ cause: ActorTermination.Cause
    ) {
        let mesh = self.actorSystem
        _ = mesh.schedule(at: self.now + self.registry.settings.retryTime) {
            guard !mesh.isStopped else { return }
            mesh.detach {
                guard await self.isEnding(actor, incarnation, on: node) else { return }
                await self.end(actor, incarnation, on: node, mode, cause)
            }
        }
    }

    private func isEnding(_ actor: UniqueID, _ incarnation: UInt64, on node: PeerID) -> Bool {
        guard let entry = self.registry.entries[actor], entry.spec.incarnation == incarnation, entry.node == node,
            case .ending = entry.phase
        else { return false }
        return self.registry.nodes[node] != nil
    }

    func awaitIdle(_ actor: UniqueID, _ incarnation: UInt64, on node: PeerID) async {
        // An actor that could not be asked is asked again later.
        let isHeld = (try? await self.node(node).awaitIdle(actor, incarnation: incarnation)) ?? true
        self.note { $0.idle(actor, incarnation: incarnation, isHeld: isHeld, at: $1) }
    }

    func ask(
        _ supervisor: UniqueID, _ incarnation: UInt64, on node: PeerID, about child: ActorTermination
    ) async {
        var decision = Supervision.Decision.restart
        do {
            decision = try await self.actorSystem.withDeadline(.seconds(5)) {
                try await self.node(node).decide(supervisor, incarnation: incarnation, about: child)
            }
        } catch {
            self.actorSystem.logger.warning(
                "a supervisor did not decide about a child, which is restarted", metadata: ["error": "\(error)"])
        }
        self.note {
            $0.decided(child.actor, incarnation: child.incarnation, decision, at: $1)
        }
    }

    func reclaim(_ processes: [PeerID]) async {
        for node in self.registry.nodes.keys { try? await self.node(node).ownersLost(processes) }
    }
}
