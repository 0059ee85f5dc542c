import CMeshPlatform
import FoundationEssentials
import Glibc
package import MeshCore
import Synchronization

/// Keeps large values in memory that every process of the host can map, and on disk when there is no more of that.
///
/// Each node has one for its workers and itself, and each program one for itself. A segment is an open file without a
/// name, so nothing is left of it when its processes have ended, in whatever way.
package final class ObjectStore: Sendable {
    private struct State {
        var ledger: ObjectLedger
        var files: [UInt64: SegmentFile] = [:]
        /// The copies that are there or being fetched.
        var copies: [ObjectLedger.Origin: ObjectCopy] = [:]
        /// Which processes made segments for others, which may not have heard of them, and where those are.
        var makers: [UInt64: (maker: PeerID, owner: PeerAddress)] = [:]
        /// For whom segments are being taken over.
        var adopting: [UInt64: PeerID] = [:]
        /// Which stores have copies of a segment.
        var readers: [UInt64: Set<PeerID>] = [:]
    }

    private let state: Mutex<State>
    private let address: PeerAddress
    /// Where to write what memory has no room for.
    let spillDirectory: String

    init(address: PeerAddress, budget: Int, spillDirectory: String) {
        self.address = address
        self.spillDirectory = spillDirectory
        self.state = Mutex(State(ledger: ObjectLedger(budget: budget)))
    }

    // MARK: Keeping

    /// Makes a segment and lists it.
    ///
    /// - Parameter fill: writes its content.
    /// - Throws: `insufficientResources` when neither memory nor disk has room.
    func make(
        _ number: UInt64, of maker: PeerID, size: Int, for owner: PeerID, origin: ObjectLedger.Origin? = nil,
        _ fill: (SegmentFile) async throws -> Void
    ) async throws -> StoredObject {
        let isOnDisk = try await !self.makeRoom(size)
        let file: SegmentFile
        do {
            file = isOnDisk ? try .disk(self.spillDirectory) : try .memory("actormesh-object")
            try await fill(file)
            if !isOnDisk { try file.seal() }
        } catch {
            if !isOnDisk { self.state.withLock { $0.ledger.cancel(size) } }
            throw error
        }
        return try self.list(number, of: maker, file, size: size, for: owner, origin: origin, isOnDisk: isOnDisk)
    }

    /// Takes over a segment that another process of this host has made.
    func adopt(
        _ number: UInt64, of maker: PeerID, process: Int32, descriptor: Int32, size: Int, for owner: PeerID,
        at address: PeerAddress? = nil
    ) async throws -> StoredObject {
        guard size >= SegmentLayout.headerSize, let file = SegmentFile.opened(by: process, descriptor),
            file.size == size,
            file.isUnchangeable
        else { throw MeshError(.objectLost, "Process \(process) has no such object; it may have ended.") }
        self.state.withLock { $0.adopting[number] = owner }
        defer { self.state.withLock { $0.adopting[number] = nil } }
        // Made in memory though there is no room for all of it: it goes on to disk.
        guard try await self.makeRoom(size) else {
            let disk = try await onOwnThread { () throws(MeshError) in
                let disk = try SegmentFile.disk(self.spillDirectory)
                try Self.copy(file, to: disk, size: size)
                return disk
            }
            return try self.adopt(number, of: maker, disk, size: size, for: owner, at: address, isOnDisk: true)
        }
        return try self.adopt(number, of: maker, file, size: size, for: owner, at: address, isOnDisk: false)
    }

    private func adopt(
        _ number: UInt64, of maker: PeerID, _ file: SegmentFile, size: Int, for owner: PeerID,
        at address: PeerAddress?, isOnDisk: Bool
    ) throws(MeshError) -> StoredObject {
        let object = try self.list(number, of: maker, file, size: size, for: owner, origin: nil, isOnDisk: isOnDisk)
        // Its owner may have ended in the meantime.
        let isOwned = self.state.withLock { state in
            if maker != owner, let address { state.makers[number] = (maker, address) }
            return state.adopting[number] != nil
        }
        guard isOwned else {
            _ = self.free([number], of: nil)
            throw MeshError(.objectLost, "The object is lost: its owner, process \(owner), has ended.")
        }
        return object
    }

    private func list(
        _ number: UInt64, of maker: PeerID, _ file: SegmentFile, size: Int, for owner: PeerID,
        origin: ObjectLedger.Origin?, isOnDisk: Bool
    ) throws(MeshError) -> StoredObject {
        let isNew = self.state.withLock { state in
            guard state.ledger.add(number, size: size, owner: owner, origin: origin, isOnDisk: isOnDisk) else {
                if !isOnDisk { state.ledger.cancel(size) }
                return false
            }
            state.files[number] = file
            return true
        }
        guard isNew else { throw MeshError(.invalidArgument, "The store has another object of that number.") }
        return StoredObject(number: number, maker: maker, store: self.address, descriptor: file.descriptor, size: size)
    }

    /// Makes room in memory, and waits until it is there.
    ///
    /// - Returns: false when so much goes to disk.
    private func makeRoom(_ size: Int) async throws(MeshError) -> Bool {
        let (steps, dropped) = self.state.withLock { state -> ([ObjectLedger.Step]?, [SegmentFile]) in
            let steps = state.ledger.reserve(size)
            return (steps, (steps ?? []).compactMap { Self.drop($0, &state) })
        }
        withExtendedLifetime(dropped) {}
        guard let steps else { return false }
        do {
            for case .spill(let number) in steps { try await self.spill(number) }
        } catch {
            // Those whose turn did not come stay where they are.
            self.state.withLock { state in
                for case .spill(let number) in steps { state.ledger.left(number, isOnDisk: false) }
                state.ledger.cancel(size)
            }
            throw error
        }
        return true
    }

    private static func drop(_ step: ObjectLedger.Step, _ state: inout State) -> SegmentFile? {
        guard case .drop(let number) = step else { return nil }
        state.copies = state.copies.filter { $0.key.number != number }
        return state.files.removeValue(forKey: number)
    }

    /// Moves a segment to disk, under the descriptor that it has: those who know it find it there.
    private func spill(_ number: UInt64) async throws(MeshError) {
        guard let file = self.state.withLock({ $0.files[number] }) else { return }
        try await onOwnThread { () throws(MeshError) in
            let disk = try SegmentFile.disk(self.spillDirectory)
            try Self.copy(file, to: disk, size: file.size)
            guard cmesh_replace_descriptor(disk.descriptor, file.descriptor) >= 0 else {
                throw SegmentFile.failure("An object cannot be put to disk", errno)
            }
        }
        self.state.withLock { $0.ledger.left(number, isOnDisk: true) }
    }

    private static func copy(_ file: SegmentFile, to disk: SegmentFile, size: Int) throws(MeshError) {
        try disk.copy(from: file, size: size)
    }

    // MARK: Reading

    /// What this process has of an object, or another process of this host.
    ///
    /// - Returns: nil when it cannot be had that way.
    func map(_ object: StoredObject) throws(MeshError) -> SegmentMapping? {
        let own = object.store.peer == self.address.peer
        let file = own ? self.file(object.number) : .opened(by: object.store.processID, object.descriptor)
        guard let file else { return nil }
        return try SegmentMapping(file, number: object.number, maker: object.maker.number)
    }

    private func file(_ number: UInt64) -> SegmentFile? {
        self.state.withLock { state in
            state.ledger.touch(number)
            return state.files[number]
        }
    }

    /// A piece of a segment, for a store on another host.
    func read(_ number: UInt64, at offset: Int, count: Int, by reader: PeerID?) throws(MeshError) -> Data {
        guard let file = self.file(number) else {
            throw MeshError(.objectLost, "The object is not in the store of process \(self.address.peer) any more.")
        }
        guard offset >= 0, (0...Self.mostPerRead).contains(count), offset <= file.size - count else {
            throw MeshError(.invalidArgument, "\(count) bytes at \(offset) are not in the object.")
        }
        if let reader { self.state.withLock { _ = $0.readers[number, default: []].insert(reader) } }
        return try file.read(at: offset, count: count)
    }

    /// How many bytes a piece has at most.
    static let mostPerRead = 4 << 20

    /// A copy of a segment of another store: the one that there is, or a new one. Everybody who asks at the same time
    /// gets the same.
    /// - Parameter fetch: writes it, and says how many bytes have come.
    /// - Throws: `cancelled` when the calling task is cancelled; others who ask still get it.
    func copy(
        of object: StoredObject,
        _ fetch: @escaping @Sendable (SegmentFile, _ progress: @escaping @Sendable (Int) -> Void) async throws -> Void
    ) async throws -> StoredObject {
        let origin = ObjectLedger.Origin(store: object.store.peer, number: object.number)
        let (copy, isNew) = self.state.withLock { state in
            if let known = state.copies[origin] { return (known, false) }
            let copy = ObjectCopy(of: object)
            state.copies[origin] = copy
            return (copy, true)
        }
        if isNew { Task { await self.make(copy, origin, fetch) } }
        return try await copy.result.value()
    }

    private func make(
        _ copy: ObjectCopy, _ origin: ObjectLedger.Origin,
        _ fetch: @escaping @Sendable (SegmentFile, @escaping @Sendable (Int) -> Void) async throws -> Void
    ) async {
        let object = copy.object
        do {
            let stored = try await self.make(
                object.number, of: object.maker, size: object.size, for: object.store.peer, origin: origin
            ) { file in
                try await fetch(file) { copy.add($0) }
            }
            copy.finish()
            // It may have been freed while it was fetched.
            if self.state.withLock({ $0.copies[origin] !== copy }) { _ = self.free([stored.number], of: nil) }
            copy.result.complete(.success(stored))
        } catch {
            copy.finish()
            self.state.withLock { if $0.copies[origin] === copy { $0.copies[origin] = nil } }
            copy.result.complete(.failure(error))
        }
    }

    // MARK: Freeing

    /// Segments are not needed any more.
    ///
    /// - Parameter owner: who says so; nil for this process. Others' segments stay.
    /// - Returns: the stores that have copies of them.
    func free(_ numbers: [UInt64], of owner: PeerID?) -> [PeerID: [UInt64]] {
        var removed: [SegmentFile?] = []
        var readers: [PeerID: [UInt64]] = [:]
        self.state.withLock { state in
            for number in numbers {
                guard let entry = state.ledger.entries[number] else {
                    state.copies = state.copies.filter { $0.key.number != number || $0.key.store != owner }
                    continue
                }
                guard owner == nil || entry.owner == owner else { continue }
                removed.append(Self.remove(number, &state))
                for reader in state.readers.removeValue(forKey: number) ?? [] {
                    readers[reader, default: []].append(number)
                }
            }
        }
        withExtendedLifetime(removed) {}
        return readers
    }

    /// Processes are gone: nobody needs their objects, nor copies of what they kept.
    package func forget(_ processes: Set<PeerID>) {
        var removed: [SegmentFile?] = []
        self.state.withLock { state in
            for (number, owner) in state.adopting where processes.contains(owner) { state.adopting[number] = nil }
            for (number, entry) in state.ledger.entries where processes.contains(entry.owner) {
                removed.append(Self.remove(number, &state))
                state.readers[number] = nil
            }
            for number in state.readers.keys { state.readers[number]?.subtract(processes) }
        }
        withExtendedLifetime(removed) {}
    }

    /// A process has ended: the segments that it made for others, by their owners. Those may never hear of them.
    func made(by process: PeerID) -> [PeerAddress: [UInt64]] {
        self.state.withLock { state in
            var segments: [PeerAddress: [UInt64]] = [:]
            for (number, made) in state.makers where made.maker == process {
                state.makers[number] = nil
                segments[made.owner, default: []].append(number)
            }
            return segments
        }
    }

    /// A process is out of reach: copies of what it keeps are of no use before it is back, and can be fetched again then.
    func forgetCopies(from process: PeerID) {
        var removed: [SegmentFile?] = []
        self.state.withLock { state in
            for (number, entry) in state.ledger.entries where entry.origin?.store == process {
                removed.append(Self.remove(number, &state))
            }
        }
        withExtendedLifetime(removed) {}
    }

    private static func remove(_ number: UInt64, _ state: inout State) -> SegmentFile? {
        state.makers[number] = nil
        if let origin = state.ledger.remove(number)?.origin { state.copies[origin] = nil }
        return state.files.removeValue(forKey: number)
    }

    /// How full it is.
    package var usage: ObjectUsage {
        self.state.withLock { state in
            ObjectUsage(
                count: state.ledger.entries.count, bytes: state.ledger.used, budget: state.ledger.budget,
                bytesOnDisk: state.ledger.onDisk,
                bytesToFetch: state.copies.values.reduce(0) { $0 + $1.bytesLeft })
        }
    }
}
