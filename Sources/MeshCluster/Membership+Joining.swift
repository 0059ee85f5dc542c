import CMeshPlatform
import Logging
import MeshCore
import MeshRuntime
import Synchronization

/// How a process becomes a member, stays one, and learns that it is none any more.
extension Membership {
    package typealias Begin = @Sendable (Broker) async throws -> MembershipTerms

    /// Finds the broker and begins the membership, and does so again whenever the broker has been away.
    ///
    /// - Parameters:
    ///   - loss: what to do when the lease has run out or the broker does not come back.
    ///   - begin: presents this process to the broker.
    /// - Throws: `brokerUnavailable` when nobody answers at its address within the time.
    package func join(timeout: Duration, loss: Loss? = nil, _ begin: @escaping Begin) async throws {
        guard let endpoint = self.state.withLock({ $0.endpoint }) else { return }
        let mesh = self.mesh
        self.state.withLock { state in
            state.isJoining = true
            state.loss = loss
        }
        guard let address = try await mesh.greet(endpoint, timeout: timeout) else {
            throw MeshError(
                .brokerUnavailable,
                "No broker answers at \(endpoint). Start one with `mesh broker --bind \(endpoint)`, or check the address."
            )
        }
        mesh.onPeerLost { [weak mesh] peer, _ in
            guard let mesh, let membership = try? mesh.membership else { return }
            membership.brokerLost(peer, endpoint, begin)
        }
        self.setBroker(address.reached(at: endpoint, from: mesh.address.host))
        try await self.begin(begin)
        if self.isStillAway() { mesh.detach { await Self.rejoin(mesh, endpoint, begin) } }
        Self.scheduleHeartbeat(mesh, endpoint, begin)
        Self.scheduleLeaseCheck(mesh)
    }

    private func begin(_ begin: Begin) async throws {
        let askedAt = cmesh_monotonic_nanoseconds()
        let broker = try self.broker()
        let terms: MembershipTerms
        do {
            terms = try await begin(broker)
        } catch let error as MeshError where error.code == .actorDied && !self.mesh.hasLost(self.mesh.peer(of: broker))
        {
            let endpoint = self.state.withLock { $0.endpoint } ?? ""
            throw MeshError(
                .brokerUnavailable,
                "The process at \(endpoint) belongs to a mesh, but is not its broker. Give the address of the broker.",
                cause: error)
        }
        self.mesh.revoke(terms.revokedKeys)
        self.state.withLock { state in
            state.terms = terms
            state.refusal = nil
            state.joins += 1
            state.awaySince = nil
            state.lease.renewed(askedAt: askedAt, for: terms.leaseTime.nanoseconds)
        }
    }

    /// How long this process may still act for the mesh without hearing from the broker; nil without end, as in an
    /// embedded mesh.
    package func remainingLease(at now: UInt64) -> UInt64? { self.state.withLock { $0.lease.remaining(at: now) } }

    package var terms: MembershipTerms { self.state.withLock { $0.terms } }

    // MARK: The broker is away

    private func brokerLost(_ peer: PeerID, _ endpoint: String, _ begin: @escaping Begin) {
        let mesh = self.mesh
        let now = cmesh_monotonic_nanoseconds()
        let hasEnded = mesh.hasEnded(peer)
        self.state.withLock { state in
            guard state.broker?.peer == peer else { return }
            if state.awaySince == nil { state.awaySince = now }
            // Nobody takes over what is here before there is another broker, and that one asks the nodes first.
            if hasEnded { state.lease.grantorEnded(at: now, wait: state.terms.absence.nanoseconds) }
        }
        guard self.forget(peer) else { return }
        mesh.detach { await Self.rejoin(mesh, endpoint, begin) }
    }

    /// The broker is gone, or does not know this process any more. Returns whether the caller has to find it again.
    ///
    /// - Parameter joins: how often this process had become a member when that was so; if it has done so again since,
    ///   the news is old.
    private func forget(_ peer: PeerID, joins: UInt64? = nil) -> Bool {
        self.state.withLock { state in
            guard state.broker?.peer == peer, joins ?? state.joins == state.joins else { return false }
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
        while !mesh.isStopped, let membership = try? mesh.membership {
            do {
                let address = try await mesh.greet(endpoint, timeout: .seconds(4))
                // One that has ended may still be heard for a moment.
                if let address, !mesh.hasEnded(address.peer) {
                    membership.setBroker(address.reached(at: endpoint, from: mesh.address.host))
                    try await membership.begin(begin)
                    mesh.reportAllHolds()
                    if !membership.isStillAway() { return }
                }
            } catch {
                mesh.logger.debug("the broker is not back yet", metadata: ["error": "\(error)"])
                membership.setBroker(nil)
                membership.noteRefusal(error)
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    // MARK: Leases

    /// Tells the broker regularly that this process lives.
    private static func scheduleHeartbeat(_ mesh: Mesh, _ endpoint: String, _ begin: @escaping Begin) {
        guard let interval = try? mesh.membership.terms.heartbeatInterval.nanoseconds else { return }
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + interval) { [weak mesh] in
            guard let mesh, !mesh.isStopped else { return }
            mesh.detach {
                await Self.heartbeat(mesh, endpoint, begin)
                self.scheduleHeartbeat(mesh, endpoint, begin)
            }
        }
    }

    private static func heartbeat(_ mesh: Mesh, _ endpoint: String, _ begin: @escaping Begin) async {
        guard let membership = try? mesh.membership else { return }
        mesh.reportMetrics()
        // While it joins it is no member yet, and would be told so.
        let member = membership.state.withLock { $0.isJoining ? nil : ($0.broker, $0.joins) }
        guard case (let broker?, let joins)? = member else { return }
        let askedAt = cmesh_monotonic_nanoseconds()
        do {
            // One that is lost on the way must not keep the next ones back.
            let revoked = try await mesh.withDeadline(membership.terms.leaseTime / 3) {
                try await membership.broker().heartbeat(mesh.address.peer)
            }
            membership.state.withLock { state in
                state.awaySince = nil
                state.lease.renewed(askedAt: askedAt, for: state.terms.leaseTime.nanoseconds)
            }
            if revoked != mesh.revoked.digest, mesh.address.peer.role == .member {
                mesh.revoke(try await membership.broker().allRevokedKeys())
            }
        } catch let error as MeshError where error.code == .actorNotFound {
            // It has given this process up, and it is not the broker that ended.
            guard membership.forget(broker.peer, joins: joins) else { return }
            mesh.logger.warning("the broker had given this process up; it joins again, as a new member")
            await membership.state.withLock { $0.loss }?.fence()
            await self.rejoin(mesh, endpoint, begin)
        } catch {
            membership.state.withLock { if $0.awaySince == nil { $0.awaySince = askedAt } }
        }
    }

    /// Looks regularly whether the lease has run out, also while the broker does not answer.
    private static func scheduleLeaseCheck(_ mesh: Mesh) {
        guard let interval = try? mesh.membership.terms.heartbeatInterval.nanoseconds else { return }
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + interval / 4) { [weak mesh] in
            guard let mesh, !mesh.isStopped, let membership = try? mesh.membership else { return }
            membership.checkLease(at: cmesh_monotonic_nanoseconds())
            self.scheduleLeaseCheck(mesh)
        }
    }

    private func checkLease(at now: UInt64) {
        let (loss, isLost, isAbandoned) = self.state.withLock { state in
            let isLost = state.lease.isNewlyLost(at: now)
            let isAbandoned = state.awaySince.map { now > $0 + state.terms.absence.nanoseconds } ?? false
            return (state.loss, isLost, isAbandoned)
        }
        guard let loss else { return }
        if isLost {
            self.mesh.logger.warning(
                "the broker was not heard for the lease time: what this process has of the mesh is given up")
            self.mesh.detach { await loss.fence() }
        }
        if isAbandoned { loss.abandon() }
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
