import CMeshPlatform
import FoundationEssentials
import Glibc
import MeshCore

/// Memory that two processes of one host have mapped: the one that made it puts large values into it, the other reads
/// them in place and gives the memory back with a store of one word.
///
/// It is a memory file without a name and of a fixed size, so neither end of a process leaves anything behind, and no
/// access to it can fail. Its first 64 bytes, in the machine's byte order:
///
/// | Bytes | |
/// |---|---|
/// | 8 | `AMSLOT01` |
/// | 8 | its number |
/// | 8 | the process that made it |
/// | 8 | the process that it is for |
/// | 4 | 1 while it is lent, 0 when it is free |
///
/// `@unchecked Sendable`: the last word is only read and written atomically. The bytes behind the header belong to one
/// process at a time: to the maker until it marks the slot as lent, then to the other until that frees it.
final class SharedSlot: @unchecked Sendable {
    let capacity: Int
    /// What the maker has open; the other needs nothing but the mapping.
    private let file: SegmentFile?
    private let base: UnsafeMutableRawPointer

    private static let magic: UInt64 = 0x3130_544f_4c53_4d41
    private static let headerSize = 64
    private static let wordOffset = 32

    /// Makes one, with all its memory, so that no access to it later finds none.
    ///
    /// - Returns: nil when the system gives none.
    init?(making number: UInt64, capacity: Int, by maker: PeerID, for other: PeerID) {
        guard let file = try? SegmentFile.memory("actormesh-slot"),
            posix_fallocate(file.descriptor, 0, off_t(Self.headerSize + capacity)) == 0,
            cmesh_seal_size(file.descriptor) == 0,
            let base = Self.map(file, capacity)
        else { return nil }
        self.file = file
        self.capacity = capacity
        self.base = base
        for (index, word) in [Self.magic, number, maker.number, other.number].enumerated() {
            base.storeBytes(of: word, toByteOffset: 8 * index, as: UInt64.self)
        }
    }

    /// Maps one that another process has made for this one.
    ///
    /// - Returns: nil when that process cannot be looked into, as one of another user or container.
    /// - Throws: `WireError` for what is no slot of it for this process, or has another size.
    init?(
        _ number: UInt64, capacity: Int, madeBy maker: PeerAddress, descriptor: Int32, for own: PeerID
    ) throws(WireError) {
        guard (1...LendingLedger.mostBytes).contains(capacity) else {
            throw WireError("a slot of shared memory of \(capacity) bytes")
        }
        let opened = cmesh_open_of_process_to_write(maker.processID, descriptor)
        guard opened >= 0 else { return nil }
        let file = SegmentFile(descriptor: opened)
        // One that could become shorter would end whoever reads it.
        guard cmesh_is_size_sealed(file.descriptor), file.size == Self.headerSize + capacity else {
            throw WireError("a slot of shared memory that is none")
        }
        guard let base = Self.map(file, capacity) else { return nil }
        let words = [Self.magic, number, maker.peer.number, own.number].enumerated()
        guard words.allSatisfy({ base.load(fromByteOffset: 8 * $0, as: UInt64.self) == $1 }) else {
            munmap(base, Self.headerSize + capacity)
            throw WireError("a slot of shared memory that is meant for others")
        }
        self.file = nil
        self.capacity = capacity
        self.base = base
    }

    private static func map(_ file: SegmentFile, _ capacity: Int) -> UnsafeMutableRawPointer? {
        // The other process may change what it reads, since it may be handed to somebody as a value of its own.
        let base = mmap(
            nil, self.headerSize + capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file.descriptor, 0)
        return base == UnsafeMutableRawPointer(bitPattern: -1) ? nil : base
    }

    deinit { munmap(self.base, Self.headerSize + self.capacity) }

    /// As what the maker has it open.
    var descriptor: Int32 { self.file?.descriptor ?? -1 }

    private var word: UnsafeMutablePointer<UInt32> {
        (self.base + Self.wordOffset).assumingMemoryBound(to: UInt32.self)
    }

    /// Whether the other process has given it back.
    var isFree: Bool { cmesh_atomic_load(self.word) == 0 }

    /// It is the other process's from now on, as soon as that hears of it. Only while it is free.
    func lend() { cmesh_atomic_store(self.word, 1) }

    /// Puts a value into it, after it was lent and before the other process hears of that.
    func write(_ data: Data) {
        data.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            (self.base + Self.headerSize).copyMemory(from: start, byteCount: min(bytes.count, self.capacity))
        }
    }

    /// The value in it, in place; it is given back with the last copy of what this returns.
    ///
    /// - Parameter count: how many bytes it has; no more than the capacity.
    func borrow(_ count: Int) -> Data {
        Data(
            bytesNoCopy: self.base + Self.headerSize, count: count,
            deallocator: .custom { [self] _, _ in cmesh_atomic_store(self.word, 0) })
    }
}
