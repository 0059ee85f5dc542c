import CMeshPlatform
import Distributed
import FoundationEssentials
import Glibc
import Logging
package import MeshCore
package import MeshRuntime

/// Actors begin and end on this node.
extension NodeAgent {
    /// Makes an actor in one of this node's workers.
    package distributed func start(_ spec: ActorSpec) async throws -> StartOutcome {
        if !spec.isOfLibrary { try self.check(spec.program, for: spec.displayType) }
        // What was asked of it before it was stopped may have been asked of another node since.
        guard try self.membership.remainingLease(at: cmesh_monotonic_nanoseconds()) != 0 else {
            throw MeshError(
                .actorUnavailable, "Node \(self.registration.name) was not heard by the broker for the lease time.")
        }
        // An earlier life must not answer beside a later one.
        if let worker = self.worker(of: spec.id), let earlier = self.workers[worker]?.actors[spec.id] {
            _ = try await self.end(spec.id, incarnation: earlier.incarnation, .kill, because: .unknown)
        }
        let worker = try await self.worker(for: spec)
        self.list(spec, in: worker)
        do {
            if spec.options.placement == .process, let memory = spec.options.resources?.memory, memory > .bytes(0) {
                try self.workers[worker]?.process.limitMemory(to: memory)
            }
            let outcome = try await self.agent(worker).start(spec, devices: self.devices(spec.gpuIDs ?? []))
            guard case .started = outcome else {
                self.forget(spec.id, in: worker)
                return outcome
            }
            guard self.workers[worker]?.actors[spec.id]?.incarnation == spec.incarnation else {
                try await self.agent(worker).end(spec.id, incarnation: spec.incarnation, .kill, because: .killed)
                throw MeshError(.actorDied, "\(spec.label) was ended while it started.")
            }
            // The arguments of one that is never made again need not be kept.
            if !spec.mayRestart { self.workers[worker]?.actors[spec.id]?.arguments = EncodedValue() }
            return outcome
        } catch {
            self.forget(spec.id, in: worker)
            if let end = self.ended[worker] { return .crashed(end.process, end.reason) }
            throw error
        }
    }

    /// A worker in which an actor can be made.
    ///
    /// - Throws: `actorDied` when the actor is ended meanwhile.
    private func worker(for spec: ActorSpec) async throws -> PeerID {
        self.unborn[spec.id] = spec.incarnation
        let worker: PeerID
        do {
            worker =
                spec.options.placement == .shared
                ? try await self.shared()
                : try await self.take(isFresh: spec.gpuIDs != nil)
        } catch {
            if self.unborn[spec.id] == spec.incarnation { self.unborn[spec.id] = nil }
            throw error
        }
        guard self.unborn[spec.id] == spec.incarnation else {
            if spec.options.placement == .process { self.giveBack(worker) }
            throw MeshError(.actorDied, "\(spec.label) was ended before it started.")
        }
        self.unborn[spec.id] = nil
        return worker
    }

    /// Ends an actor, and its process when it had one of its own. Returns when it has ended.
    ///
    /// - Returns: how its process ended, when it had one of its own.
    package distributed func end(
        _ actor: UniqueID, incarnation: UInt64, _ mode: EndMode, because cause: ActorTermination.Cause
    ) async throws -> ProcessEnd? {
        guard let worker = self.worker(of: actor), let spec = self.workers[worker]?.actors[actor],
            spec.incarnation == incarnation
        else {
            if self.unborn[actor] == incarnation { self.unborn[actor] = nil }
            return nil
        }
        let isShared = spec.options.placement == .shared
        if isShared || mode != .kill {
            do {
                try await self.agent(worker).end(actor, incarnation: incarnation, mode, because: cause)
            } catch let error as MeshError where error.code == .actorDied {
                // Its process has ended in the meantime.
            }
        }
        if isShared {
            self.unlist(actor)
            return nil
        }
        if mode != .kill { await self.awaitDelivery(from: worker) }
        return await self.kill(worker, for: cause.words)
    }

    /// An actor of a worker has asked for its own end, and cleans up.
    package distributed func exiting(_ actor: UniqueID, incarnation: UInt64) async throws {
        guard let worker = self.worker(of: actor), self.workers[worker]?.actors[actor]?.incarnation == incarnation
        else { return }
        self.workers[worker]?.exiting.insert(actor)
    }

    /// An actor of a worker has ended itself.
    package distributed func exited(_ actor: UniqueID, incarnation: UInt64) async throws {
        guard let worker = self.worker(of: actor), let spec = self.workers[worker]?.actors[actor],
            spec.incarnation == incarnation
        else { return }
        self.unlist(actor)
        self.workers[worker]?.exiting.remove(actor)
        let news = self.tellBroker(ofExit: actor, incarnation, after: self.workers[worker]?.news)
        self.workers[worker]?.news = news
        guard spec.options.placement == .process else { return }
        self.retire(worker, for: "its actor ended itself", keepsObjects: false)
    }

    /// Returns when an actor has nothing to do. Says whether somebody in its process has a counted handle to it.
    package distributed func awaitIdle(_ actor: UniqueID, incarnation: UInt64) async throws -> Bool {
        guard let worker = self.worker(of: actor) else { return false }
        return try await self.agent(worker).awaitIdle(actor, incarnation: incarnation)
    }

    /// Whether the process of an actor has not ended yet, by what the system says; that it has is told in time.
    package distributed func hasLivingProcess(_ actor: UniqueID) async throws -> Bool {
        guard let worker = self.worker(of: actor), let process = self.workers[worker]?.process else { return false }
        return !ProcessStatus.hasEnded(process.processID)
    }

    /// Asks a supervisor of this node about a child of its.
    package distributed func decide(
        _ supervisor: UniqueID, incarnation: UInt64, about child: ActorTermination
    ) async throws -> Supervision.Decision {
        guard let worker = self.worker(of: supervisor) else { return .restart }
        return try await self.agent(worker).decide(supervisor, incarnation: incarnation, about: child)
    }

    func tellBroker(
        ofExit actor: UniqueID, _ incarnation: UInt64, after news: Task<Void, Never>?
    ) -> Task<Void, Never> {
        self.exits[actor] = incarnation
        return self.tellBroker(after: news) {
            try await $0.exited(actor, incarnation: incarnation)
            await self.brokerKnows(of: actor, incarnation)
        }
    }

    private func brokerKnows(of actor: UniqueID, _ incarnation: UInt64) {
        if self.exits[actor] == incarnation { self.exits[actor] = nil }
    }

    func worker(of actor: UniqueID) -> PeerID? { self.homes[actor] }

    func list(_ spec: ActorSpec, in worker: PeerID) {
        guard self.workers[worker] != nil else { return }
        self.workers[worker]?.actors[spec.id] = spec
        self.homes[spec.id] = worker
        guard let log = self.workers[worker]?.process.output.log else { return }
        guard spec.options.placement == .process else {
            // Lines in a process of several are nobody's, but it may be known for whom they all work.
            let drivers = Set(self.workers[worker]?.actors.values.map(\.owner.root) ?? [])
            return log.attribute(to: nil, for: drivers.count == 1 ? drivers.first ?? nil : nil)
        }
        log.attribute(
            to: LogRecord.Actor(
                typeName: spec.displayType, name: spec.options.name, id: spec.id, incarnation: spec.incarnation),
            for: spec.owner.root)
    }

    @discardableResult
    func unlist(_ actor: UniqueID) -> ActorSpec? {
        self.homes.removeValue(forKey: actor).flatMap { self.workers[$0]?.actors.removeValue(forKey: actor) }
    }

    /// Tells the broker something that it has to know, as soon as it is there, and has been told what comes before.
    @discardableResult
    func tellBroker(
        after earlier: Task<Void, Never>? = nil, _ message: @escaping @Sendable (Broker) async throws -> Void
    ) -> Task<Void, Never> {
        let mesh = self.mesh
        return mesh.detach {
            await earlier?.value
            try await mesh.membership.tellWhenThere(message)
        }
    }

    func forget(_ actor: UniqueID, in worker: PeerID) {
        guard self.homes[actor] == worker, let spec = self.unlist(actor) else { return }
        // Whatever its initialiser left behind goes with the process.
        if spec.options.placement == .process { self.end(worker, for: "its actor could not be made") }
    }

    func check(_ program: String, for type: String) throws(MeshError) {
        guard !self.registration.programs.contains(program) else { return }
        throw MeshError(
            .typeNotFound,
            "Node \(self.registration.name) does not run the program \"\(program)\" that has \(type).")
    }
}
