import CMeshPlatform
import Logging
package import MeshCore
package import MeshRuntime
import Synchronization

/// What a process knows as a member of a mesh: who its broker is, which program it runs, what it has submitted.
package final class Membership: Sendable {
    /// Identifies the types that a process knows; nodes run actors and tasks of the programs that they have.
    package let program: String
    package let scheduler: TaskScheduler
    private let state: Mutex<State>
    unowned let mesh: Mesh
    /// The node whose worker this process is; nil for others.
    package let node: PeerID?

    private struct State {
        var broker: PeerAddress?
        var endpoint: String?
        /// Whether somebody is about to find the broker.
        var isJoining = false
    }

    package typealias Begin = @Sendable (Broker) async throws -> MembershipTerms

    package init(
        mesh: Mesh, program: String, broker: PeerAddress?, endpoint: String? = nil, node: PeerID? = nil
    ) {
        self.node = node
        self.mesh = mesh
        self.program = program
        self.scheduler = TaskScheduler(mesh: mesh)
        self.state = Mutex(State(broker: broker, endpoint: endpoint))
    }

    /// Finds the broker and begins the membership, and does so again whenever the broker has been away.
    ///
    /// - Throws: `brokerUnavailable` when nobody answers at its address within the time.
    package func join(timeout: Duration, _ begin: @escaping Begin) async throws {
        guard let endpoint = self.state.withLock({ $0.endpoint }) else { return }
        let mesh = self.mesh
        self.state.withLock { $0.isJoining = true }
        guard let address = try await mesh.greet(endpoint, timeout: timeout) else {
            throw MeshError(
                .brokerUnavailable,
                "No broker answers at \(endpoint). Start one with `mesh broker --bind \(endpoint)`, or check the address."
            )
        }
        mesh.onPeerLost { [weak mesh] peer, _ in
            guard let mesh, let membership = try? mesh.membership, membership.forget(peer) else { return }
            mesh.detach { await Self.rejoin(mesh, endpoint, begin) }
        }
        self.setBroker(address.reached(at: endpoint, from: mesh.address.host))
        _ = try await begin(try self.broker())
        if self.isStillAway() { mesh.detach { await Self.rejoin(mesh, endpoint, begin) } }
        Self.scheduleHeartbeat(mesh, endpoint, begin)
    }

    /// The broker is gone. Returns whether the caller has to find it again.
    private func forget(_ peer: PeerID) -> Bool {
        self.state.withLock { state in
            guard state.broker?.peer == peer else { return false }
            state.broker = nil
            if state.isJoining { return false }
            state.isJoining = true
            return true
        }
    }

    /// Whether the broker has gone again while the membership was being begun; if not, that is done.
    private func isStillAway() -> Bool {
        self.state.withLock { state in
            state.isJoining = state.broker == nil
            return state.isJoining
        }
    }

    private static func rejoin(_ mesh: Mesh, _ endpoint: String, _ begin: @escaping Begin) async {
        var refusals = 0
        while !mesh.isStopped, let membership = try? mesh.membership {
            do {
                let address = try await mesh.greet(endpoint, timeout: .milliseconds(500))
                if let address, mesh.hasLost(address.peer) {
                    // It is about to end, or was given up for having been silent too long.
                    refusals += 1
                    if refusals == 30 {
                        mesh.logger.warning(
                            "the broker was given up, so this process cannot join it again; start it anew")
                    }
                } else if let address {
                    membership.setBroker(address.reached(at: endpoint, from: mesh.address.host))
                    _ = try await begin(try membership.broker())
                    if !membership.isStillAway() { return }
                }
            } catch {
                mesh.logger.debug("the broker is not back yet", metadata: ["error": "\(error)"])
                membership.setBroker(nil)
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Tells the broker regularly that this process lives.
    private static func scheduleHeartbeat(
        _ mesh: Mesh, _ endpoint: String, _ begin: @escaping Begin
    ) {
        let interval = mesh.settings.heartbeatInterval.nanoseconds
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + interval) { [weak mesh] in
            guard let mesh, !mesh.isStopped else { return }
            mesh.detach {
                defer { self.scheduleHeartbeat(mesh, endpoint, begin) }
                guard let membership = try? mesh.membership, let broker = membership.brokerAddress else { return }
                do {
                    try await membership.broker().heartbeat(mesh.address.peer)
                } catch let error as MeshError where error.code == .actorNotFound {
                    // It has given this process up, and it is not the one that ended.
                    if membership.forget(broker.peer) { await self.rejoin(mesh, endpoint, begin) }
                } catch {}
            }
        }
    }

    package var brokerAddress: PeerAddress? { self.state.withLock { $0.broker } }

    package func setBroker(_ address: PeerAddress?) { self.state.withLock { $0.broker = address } }

    /// A handle to the broker.
    package func broker() throws -> Broker {
        guard let address = self.brokerAddress else {
            let endpoint = self.state.withLock { $0.endpoint } ?? "its address"
            throw MeshError(
                .brokerUnavailable,
                "The broker at \(endpoint) cannot be reached now. Calls to actors whose handles you have go on; "
                    + "try again when it is back.")
        }
        return try self.mesh.service(Broker.self, WellKnown.broker, at: address)
    }

    /// Asks the broker something; that it cannot be reached is told as such.
    package func ask<Answer: Sendable>(_ question: (Broker) async throws -> Answer) async throws -> Answer {
        let broker = try self.broker()
        do {
            return try await question(broker)
        } catch let error as MeshError
            where (error.code == .actorDied || error.code == .actorUnavailable)
            && self.mesh.hasLost(self.mesh.peer(of: broker))
        {
            throw MeshError(
                .brokerUnavailable, "The broker went away before it answered; the request may or may not have run.",
                cause: error)
        }
    }
}

extension PeerAddress {
    /// The same process as it was reached: from another host by that endpoint, whatever it calls itself.
    fileprivate func reached(at endpoint: String, from host: HostID) -> PeerAddress {
        guard host != self.host else { return self }
        var address = self
        address.endpoints.removeAll { $0 == endpoint }
        address.endpoints.insert(endpoint, at: 0)
        return address
    }
}

extension Mesh {
    /// Gives back what this process has of the mesh, before it leaves.
    package func leave() async {
        try? await self.withDeadline(.milliseconds(500)) { await (try? self.membership)?.scheduler.giveBackAll() }
    }

    /// This process's membership. Set before anybody else has the mesh.
    package var membership: Membership {
        get throws {
            let known = self.extensions.withLock { $0[ObjectIdentifier(Membership.self)] } as? Membership
            guard let known else {
                throw MeshError(.brokerUnavailable, "This process has not joined a mesh yet.")
            }
            return known
        }
    }

    package func setMembership(_ membership: Membership?) {
        self.extensions.withLock { $0[ObjectIdentifier(Membership.self)] = membership }
        self.directory.withLock { $0 = membership }
    }
}
