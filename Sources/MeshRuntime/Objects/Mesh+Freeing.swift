import CMeshPlatform
import MeshCore

/// Large values that are not needed any more, and those of processes that are gone.
extension Mesh {
    /// A large value of this process is not needed any more.
    func free(_ object: StoredObject) {
        guard !self.isStopped else { return }
        guard object.store.peer != self.address.peer else { return self.freeHere([object.number], of: nil) }
        self.detach {
            _ = try await self.patiently { try await self.objectHost(at: object.store).free([object.number]) }
        }
    }

    func freeHere(_ numbers: [UInt64], of owner: PeerID?) {
        guard let store = self.objects.storeIfMade else { return }
        for (reader, numbers) in store.free(numbers, of: owner) {
            guard let address = self.peers.known(reader)?.address else { continue }
            self.detach { _ = try await self.patiently { try await self.objectHost(at: address).free(numbers) } }
        }
    }
}

extension ObjectTable {
    /// Makes the actor that other processes ask, once.
    package func prepare(on mesh: Mesh) {
        self.prepare(.objects) {
            mesh.hostService(ObjectHost.self, as: WellKnown.objects) { ObjectHost(actorSystem: $0) }
            mesh.onPeerLost { [weak mesh] peer, _ in mesh?.forgetObjects(of: peer) }
        }
    }
}

extension Mesh {
    /// How long copies are kept of what another host keeps that is not heard of any more.
    private static let silenceOfStores: UInt64 = 60_000_000_000

    /// A process was lost.
    fileprivate func forgetObjects(of peer: PeerID) {
        guard let store = self.objects.storeIfMade else { return }
        guard self.hasEnded(peer) else {
            // One that is only silent may be well.
            _ = self.schedule(at: cmesh_monotonic_nanoseconds() + Self.silenceOfStores) { [weak self, weak store] in
                if let self, self.hasLost(peer) { store?.forgetCopies(from: peer) }
            }
            return
        }
        store.forget([peer])
        for (owner, segments) in store.made(by: peer) {
            self.detach { try await self.ask(owner, for: segments, of: peer) }
        }
    }

    /// Frees what a process that has ended made for another one, which never heard of it.
    private func ask(_ owner: PeerAddress, for segments: [UInt64], of maker: PeerID) async throws {
        // When the owner has ended all that it owns is freed.
        let unknown = try await self.patiently { try await self.objectHost(at: owner).lacks(segments, of: maker) }
        self.freeHere(unknown ?? [], of: owner.peer)
    }

    /// Asks another process, again when it cannot be reached. Returns nil when it never could.
    private func patiently<Answer>(_ ask: () async throws -> Answer) async throws -> Answer? {
        for _ in 0..<Self.attempts where !self.isStopped {
            do {
                return try await ask()
            } catch let error as MeshError where error.code == .actorUnavailable {
                try await Task.sleep(for: self.settings.leaseTime)
            }
        }
        return nil
    }

    /// Who is out of reach for so many leases is gone, or has nobody to serve.
    private static let attempts = 20
}
