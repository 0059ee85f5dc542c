import CMeshPlatform
package import Distributed
package import FoundationEssentials
package import MeshCore

/// Where other processes ask for this process's objects, and for what its store keeps.
package distributed actor ObjectHost {
    package typealias ActorSystem = Mesh

    init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    // MARK: Objects

    /// What an object of this process is; waits until it is there.
    package distributed func fetch(_ id: UniqueID) async throws -> ObjectAnswer {
        let mesh = self.actorSystem
        guard let known = mesh.objects.find(id) else { throw Mesh.freed(id) }
        if known.outcome == nil, let object = known.object {
            await object.wait()
            try Task.checkCancellation()
            // Those who wait may go on before the table has been told.
            if let outcome = object.anyOutcome { mesh.objects.complete(id, with: outcome) }
        }
        guard let answer = mesh.objects.answer(for: id, { try await $0.answer(on: mesh) }) else { throw Mesh.freed(id) }
        do {
            return try await answer.value.answer
        } catch {
            mesh.objects.forgetAnswer(for: id, answer)
            throw error
        }
    }

    /// Cancels the work behind an object of this process.
    package distributed func cancel(_ id: UniqueID) async throws { self.actorSystem.objects.find(id)?.object?.cancel() }

    /// The broker believes that nobody holds these objects of this process.
    package distributed func askForHolders(of objects: [UniqueID]) async throws {
        self.actorSystem.askForHolders(of: objects)
    }

    // MARK: The store

    /// Takes over a segment that the calling process of this host has made, for an owner's object.
    ///
    /// - Parameter address: where the owner is, if that is another process than the caller.
    package distributed func adopt(
        _ number: UInt64, descriptor: Int32, size: Int, for owner: PeerID, at address: PeerAddress?
    ) async throws -> StoredObject {
        let mesh = self.actorSystem
        guard let maker = CallOrigin.current?.peer.flatMap(mesh.peers.known)?.address, maker.host == mesh.address.host
        else {
            throw MeshError(.invalidArgument, "A store takes over what processes of its own host have made.")
        }
        return try await mesh.objectStore.adopt(
            number, of: maker.peer, process: maker.processID, descriptor: descriptor, size: size, for: owner,
            at: address)
    }

    /// A piece of a segment, with its checksum (CRC-32C).
    package distributed func read(_ number: UInt64, at offset: Int, count: Int) async throws -> ObjectPiece {
        let data = try self.actorSystem.objectStore.read(
            number, at: offset, count: count, by: CallOrigin.current?.peer)
        return ObjectPiece(data)
    }

    /// A copy, on this host, of what another host's store keeps.
    package distributed func copy(of object: StoredObject) async throws -> StoredObject {
        try await self.actorSystem.copy(of: object)
    }

    /// Which of these segments, made for this process by one that has ended, it knows nothing of. Waits until this process
    /// has seen that end too: then nothing comes from there any more.
    package distributed func lacks(_ segments: [UInt64], of maker: PeerID) async throws -> [UInt64] {
        let mesh = self.actorSystem
        while !mesh.isStopped, mesh.peers.known(maker) != nil, !mesh.hasLost(maker) {
            try await Task.sleep(for: .milliseconds(100))
        }
        // What had come by then is taken by now.
        try await Task.sleep(for: mesh.settings.leaseTime)
        return segments.filter { !mesh.objects.owns(segment: $0) }
    }

    /// Segments are not needed any more.
    package distributed func free(_ numbers: [UInt64]) async throws {
        self.actorSystem.freeHere(numbers, of: CallOrigin.current?.peer)
    }
}

extension ObjectHost: RoleGuarded {
    /// Drivers own objects, and read others' if they know their numbers: then somebody has passed them on.
    package static func permits(_ method: String, to role: MeshRole) -> Bool {
        role == .driver && ["fetch", "cancel", "read", "free"].contains(method)
    }
}

/// A piece of a segment on its way. MessagePack: `[data, checksum]`.
package struct ObjectPiece: Hashable, Sendable {
    package var data: Data
    package var checksum: UInt32

    init(_ data: Data) {
        self.data = data
        self.checksum = Checksum.crc32c(data)
    }

    /// Whether it arrived as it was sent.
    var isIntact: Bool { Checksum.crc32c(self.data) == self.checksum }
}

extension ObjectPiece: Codable {
    package init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self.data = try container.decode(Data.self)
        self.checksum = try container.decode(UInt32.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.data)
        try container.encode(self.checksum)
    }
}
