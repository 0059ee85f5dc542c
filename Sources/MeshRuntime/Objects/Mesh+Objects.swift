import FoundationEssentials
import Logging
package import MeshCore
import MeshMessagePack

/// Values that are shared by reference.
extension Mesh {
    /// Makes a value known to the mesh under a reference, so that it can be passed to many without being copied for each.
    ///
    /// The value cannot be changed any more. A small one, of up to 64 KiB encoded, stays in this process. A large one is
    /// written to memory that all processes of this host map; over the budget of
    /// ``MeshSettings/objectMemory`` what was not used for the longest goes to disk, unseen. It is freed when nobody
    /// refers to it any more, and lost when this process ends.
    ///
    /// - Throws: `insufficientResources` when neither memory nor disk has room; what the value's `encode(to:)` throws.
    public func put<Value: Codable & Sendable>(_ value: Value) async throws -> ObjectRef<Value> {
        let object = self.makeObject(Value.self)
        if _isPOD(Value.self), MemoryLayout<Value>.size <= MeshSettings.smallObject / 16 {
            object.become(.value(value))
        } else if let stored = try await self.store(value, for: self.address.peer) {
            object.become(.stored(stored))
        } else {
            object.become(.value(value))
        }
        return ObjectRef(object)
    }

    /// Encodes a value and keeps it in the store of this host, if it is a large one.
    ///
    /// - Parameter owner: whose object it is.
    /// - Returns: nil for a small one.
    package func store(_ value: some Encodable, for owner: PeerID) async throws -> StoredValue? {
        let buffer = self.buffers.take()
        defer { self.buffers.give(buffer) }
        try self.encoder.encode(value, into: buffer.bytes, attachments: buffer)
        guard Self.isLarge(buffer) else { return nil }
        let object = try await self.store(buffer, for: owner)
        return StoredValue(
            object, holds: EncodedValue(Data(), leases: buffer.leases), isOwn: owner == self.address.peer, on: self)
    }

    /// The result of a task on its way to its submitter: a small one itself, of a large one where it is kept for the
    /// submitter until somebody gets it.
    package func encodeOutcome(_ value: some Encodable, for owner: PeerID) async throws -> EncodedOutcome {
        let buffer = self.buffers.take()
        defer { self.buffers.give(buffer) }
        try self.encoder.encode(value, into: buffer.bytes, attachments: buffer)
        guard Self.isLarge(buffer) else {
            return .value(EncodedValue(buffer.bytes.withUnsafeBytes { Data($0) }, leases: buffer.leases))
        }
        return .stored(try await self.store(buffer, for: owner), EncodedValue(Data(), leases: buffer.leases))
    }

    private static func isLarge(_ buffer: CallBuffer) -> Bool {
        buffer.bytes.count > MeshSettings.smallObject || !buffer.attachments.isEmpty
    }

    private func store(_ buffer: CallBuffer, for owner: PeerID) async throws -> StoredObject {
        let layout = SegmentLayout(head: buffer.bytes.count, parts: buffer.attachments.map(\.count))
        return try await self.store(layout, head: buffer.bytes, for: owner) { file in
            for (part, range) in zip(buffer.attachments, layout.parts) {
                try part.withUnsafeBytes { try file.write($0, at: range.lowerBound) }
            }
        }
    }

    /// Makes a segment, and has it kept on this host.
    ///
    /// - Parameter fill: writes the large parts.
    func store(
        _ layout: SegmentLayout, head: MessagePackBuffer, for owner: PeerID, fill: (SegmentFile) async throws -> Void
    ) async throws -> StoredObject {
        let number = UniqueID.make().low
        let header = layout.header(number: number, maker: self.address.peer.number)
        func fillAll(_ file: SegmentFile) async throws {
            try header.withUnsafeBytes { try file.write($0, at: 0) }
            try head.withUnsafeBytes { try file.write($0, at: layout.head.lowerBound) }
            try await fill(file)
        }
        guard let keeper = self.objects.keeper else {
            return try await self.objectStore.make(
                number, of: self.address.peer, size: layout.size, for: owner, fillAll)
        }
        // A worker's large values are with its node, which outlives it.
        let file = try SegmentFile.memory("actormesh-object")
        try await fillAll(file)
        try file.seal()
        let address = owner == self.address.peer ? nil : self.peers.known(owner)?.address
        // Without the caller's deadline: what was taken over and nobody hears of would never be freed.
        return try await MeshScope.$current.withValue(nil) {
            Task(executorPreference: self.executor) {
                defer { withExtendedLifetime(file) {} }
                return try await self.objectHost(at: keeper).adopt(
                    number, descriptor: file.descriptor, size: layout.size, for: owner, at: address)
            }
        }.value
    }

    /// The store of this process.
    package var objectStore: ObjectStore {
        self.objects.store {
            ObjectStore(
                address: self.address, budget: self.settings.objectBudget,
                spillDirectory: self.settings.effectiveSpillDirectory)
        }
    }

    // MARK: Reading

    /// Maps a large value into this process.
    ///
    /// - Throws: `objectLost` when it is not there any more; `insufficientResources`.
    func map(_ object: StoredObject) async throws -> SegmentMapping {
        if object.store.host == self.address.host, let mapping = try self.objectStore.map(object) { return mapping }
        do {
            // A copy may have had to make room for another before it was mapped.
            for _ in 0..<Self.attemptsToMap {
                let copy: StoredObject
                if object.store.host != self.address.host, let keeper = self.objects.keeper {
                    copy = try await self.objectHost(at: keeper).copy(of: object)
                } else {
                    copy = try await self.copy(of: object)
                }
                if let mapping = try self.objectStore.map(copy) { return mapping }
            }
            throw MeshError(.objectLost, "The object has been freed.")
        } catch let error as MeshError where error.code == .actorDied || error.code == .actorUnavailable {
            let process = "process \(object.store.processID) (\(object.store.peer))"
            throw MeshError(
                .objectLost, "The object is lost: \(process), which kept it, has ended or cannot be reached.",
                cause: error)
        }
    }

    /// A copy in this process's store of what another store keeps: fetched in pieces, several at a time.
    func copy(of object: StoredObject) async throws -> StoredObject {
        guard object.store.peer != self.address.peer else {
            throw MeshError(.objectLost, "The object has been freed.")
        }
        return try await self.objectStore.copy(of: object) { [weak self] file, progress in
            guard let self else { throw MeshError(.shutDown, "This process has left its mesh.") }
            let begin = ContinuousClock.now
            try await self.fetch(object, into: file, progress)
            let seconds = (ContinuousClock.now - begin) / .seconds(1)
            self.logger.debug(
                "an object was fetched from another host",
                metadata: [
                    "mesh.object.bytes": "\(object.size)", "mesh.object.store": "\(object.store.peer)",
                    "mesh.object.seconds": "\(seconds)",
                    "mesh.object.megabytes-per-second": "\(Double(object.size) / 1e6 / max(seconds, 1e-9))",
                ])
        }
    }

    private func fetch(
        _ object: StoredObject, into file: SegmentFile, _ progress: @escaping @Sendable (Int) -> Void
    ) async throws {
        let host = try self.objectHost(at: object.store)
        try await withThrowingTaskGroup(of: Void.self) { group in
            var under = 0
            for offset in stride(from: 0, to: object.size, by: ObjectStore.mostPerRead) {
                if under == Self.piecesAtOnce { try await group.next() } else { under += 1 }
                let count = min(ObjectStore.mostPerRead, object.size - offset)
                group.addTask {
                    let piece = try await host.read(object.number, at: offset, count: count)
                    guard piece.data.count == count, piece.isIntact else {
                        throw MeshError(.decodingFailed, "A piece of an object was damaged on its way.")
                    }
                    try piece.data.withUnsafeBytes { try file.write($0, at: offset) }
                    progress(count)
                }
            }
            try await group.waitForAll()
        }
    }

    private static let piecesAtOnce = 4
    private static let attemptsToMap = 5
}
