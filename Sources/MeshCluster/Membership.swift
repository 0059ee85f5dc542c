import CMeshPlatform
package import MeshCore
package import MeshRuntime
import Synchronization

/// What a process knows as a member of a mesh: who its broker is, which program it runs, what it has submitted.
package final class Membership: Sendable {
    /// Identifies the types that a process knows; nodes run actors and tasks of the programs that they have.
    package let program: String
    package let scheduler: TaskScheduler
    private let state: Mutex<State>
    private unowned let mesh: Mesh

    private struct State {
        var broker: PeerAddress?
        var endpoint: String?
    }

    package init(mesh: Mesh, program: String, broker: PeerAddress?, endpoint: String? = nil) {
        self.mesh = mesh
        self.program = program
        self.scheduler = TaskScheduler(mesh: mesh)
        self.state = Mutex(State(broker: broker, endpoint: endpoint))
    }

    /// Finds the broker and begins the membership, and does so again whenever the broker has been away.
    ///
    /// - Throws: `brokerUnavailable` when nobody answers at its address within five seconds.
    package func join(_ begin: @escaping @Sendable (Broker) async throws -> Void) async throws {
        guard let endpoint = self.state.withLock({ $0.endpoint }) else { return }
        guard let address = try await self.mesh.greet(endpoint, timeout: .seconds(5)) else {
            throw MeshError(
                .brokerUnavailable,
                "No broker answers at \(endpoint). Start one with `mesh broker --bind \(endpoint)`, or check the address.")
        }
        self.setBroker(address)
        try await begin(try self.broker())
        self.mesh.onPeerLost { [weak mesh] peer, _ in
            guard let mesh, let membership = try? mesh.membership, membership.brokerAddress?.peer == peer else { return }
            membership.setBroker(nil)
            Task { await membership.rejoin(endpoint, begin) }
        }
        self.scheduleHeartbeat()
    }

    private func rejoin(_ endpoint: String, _ begin: @escaping @Sendable (Broker) async throws -> Void) async {
        while !self.mesh.isStopped {
            do {
                guard let address = try await self.mesh.greet(endpoint, timeout: .milliseconds(500)) else { continue }
                guard !self.mesh.hasLost(address.peer) else { continue }
                self.setBroker(address)
                try await begin(try self.broker())
                self.scheduleHeartbeat()
                return
            } catch {
                self.setBroker(nil)
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// Tells the broker regularly that this process lives, for as long as the broker does.
    private func scheduleHeartbeat() {
        let (mesh, interval) = (self.mesh, self.mesh.settings.heartbeatInterval)
        _ = mesh.schedule(at: cmesh_monotonic_nanoseconds() + interval.nanoseconds) { [weak mesh] in
            guard let mesh, let membership = try? mesh.membership, membership.brokerAddress != nil else { return }
            Task {
                try? await membership.broker().heartbeat(mesh.address.peer)
                membership.scheduleHeartbeat()
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

extension Mesh {
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
    }
}
