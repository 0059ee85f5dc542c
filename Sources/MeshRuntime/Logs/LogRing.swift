import CMeshPlatform
import Glibc
package import MeshCore

/// Memory that a worker shares with its node, into which it writes its log records and from which the node takes them.
///
/// What was written is outside of the worker when the write returns: it survives the worker's end, and, where the memory
/// is a file, the node's as well. When it is full the writer waits, and nobody else does.
///
/// The layout, in the byte order of the host: at 0 the magic number and the capacity, at 8 the process, at 16 the source,
/// at 32 the last sequence that the node gave out; in cache lines of their own the places up to which was written (64)
/// and read (128), whether the reader sleeps (192), and whether the writer does (256). From 4096 on the records, each
/// behind its length in four bytes, around the end.
///
/// `@unchecked Sendable`: the memory is changed by atomic operations, except for the records, which belong to the one
/// writer before `head` passes them and to the one reader before `tail` does.
package final class LogRing: @unchecked Sendable {
    private let base: UnsafeMutableRawPointer
    package let capacity: Int

    package static let magic: UInt32 = 0x4c4f_4731
    package static let headerSize = 4096
    package static let standardCapacity = 128 << 10
    /// The largest record that finds room in any ring.
    package static let largestRecord = LogContent.largest

    private enum Field {
        static let capacity = 4
        static let processID = 8
        static let source = 16
        static let sequence = 32
        static let head = 64
        static let tail = 128
        static let readerSleeps = 192
        static let writerSleeps = 256
    }

    /// Maps a ring.
    ///
    /// - Parameter isNew: whether to make one; the file has no size then.
    /// - Throws: `systemFailure` when the file is none, or cannot be mapped.
    package init(descriptor: Int32, isNew: Bool, capacity: Int = LogRing.standardCapacity) throws(MeshError) {
        if isNew, ftruncate(descriptor, Self.headerSize + capacity) != 0 {
            throw MeshError(.systemFailure, "No memory for log records can be had.", cause: describeErrno())
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size > Self.headerSize, status.st_size < 1 << 30 else {
            throw MeshError(.systemFailure, "A file is no ring of log records.")
        }
        self.capacity = Int(status.st_size) - Self.headerSize
        guard self.capacity & (self.capacity - 1) == 0,
            let base = mmap(nil, Int(status.st_size), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            base != UnsafeMutableRawPointer(bitPattern: -1)
        else { throw MeshError(.systemFailure, "A ring of log records cannot be mapped.", cause: describeErrno()) }
        self.base = base
        if isNew {
            base.storeBytes(of: UInt32(self.capacity), toByteOffset: Field.capacity, as: UInt32.self)
            base.storeBytes(of: 1, toByteOffset: Field.readerSleeps, as: UInt32.self)
            cmesh_atomic_store(self.word(0), Self.magic)
        } else if cmesh_atomic_load(self.word(0)) != Self.magic || self.load(Field.capacity) != UInt32(self.capacity) {
            munmap(base, Int(status.st_size))
            throw MeshError(.systemFailure, "A file is no ring of log records.")
        }
    }

    deinit { munmap(self.base, Self.headerSize + self.capacity) }

    private func word(_ field: Int) -> UnsafeMutablePointer<UInt32> {
        (self.base + field).assumingMemoryBound(to: UInt32.self)
    }

    private func load(_ field: Int) -> UInt32 { cmesh_atomic_load(self.word(field)) }

    // MARK: Whose it is

    package var processID: Int32 {
        get { Int32(bitPattern: self.load(Field.processID)) }
        set { cmesh_atomic_store(self.word(Field.processID), UInt32(bitPattern: newValue)) }
    }

    package var source: UniqueID {
        get {
            UniqueID(
                high: self.base.load(fromByteOffset: Field.source, as: UInt64.self),
                low: self.base.load(fromByteOffset: Field.source + 8, as: UInt64.self))
        }
        set {
            self.base.storeBytes(of: newValue.high, toByteOffset: Field.source, as: UInt64.self)
            self.base.storeBytes(of: newValue.low, toByteOffset: Field.source + 8, as: UInt64.self)
        }
    }

    /// The last number that the node gave to a record of this source. For the node alone.
    package var sequence: UInt64 {
        get { self.base.load(fromByteOffset: Field.sequence, as: UInt64.self) }
        set { self.base.storeBytes(of: newValue, toByteOffset: Field.sequence, as: UInt64.self) }
    }

    // MARK: The writer

    /// Writes a record; waits while there is no room. One writer at a time.
    ///
    /// - Parameter whenFull: is called when there is no room, before it waits: the reader may be taking its time.
    /// - Returns: whether the reader sleeps and has to be woken.
    package func write(_ bytes: UnsafeRawBufferPointer, whenFull: () -> Void = {}) -> Bool {
        let size = bytes.count + 4
        guard size <= self.capacity else { return false }
        let head = self.load(Field.head)
        while true {
            let tail = self.load(Field.tail)
            if Int(head &- tail) + size <= self.capacity { break }
            cmesh_atomic_store(self.word(Field.writerSleeps), 1)
            whenFull()
            // Not for ever: a reader that was ended by force wakes nobody.
            if self.load(Field.tail) == tail { _ = cmesh_shared_futex_wait(self.word(Field.tail), tail, 1_000_000_000) }
        }
        withUnsafeBytes(of: UInt32(bytes.count)) { self.copy($0, to: head) }
        self.copy(bytes, to: head &+ 4)
        cmesh_atomic_store(self.word(Field.head), head &+ UInt32(size))
        guard self.load(Field.readerSleeps) != 0 else { return false }
        return cmesh_atomic_exchange(self.word(Field.readerSleeps), 0) != 0
    }

    private func copy(_ bytes: UnsafeRawBufferPointer, to place: UInt32) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        let offset = Int(place) & (self.capacity - 1)
        let first = min(bytes.count, self.capacity - offset)
        (self.base + Self.headerSize + offset).copyMemory(from: start, byteCount: first)
        if first < bytes.count {
            (self.base + Self.headerSize).copyMemory(from: start + first, byteCount: bytes.count - first)
        }
    }

    // MARK: The reader

    /// Up to where it was read.
    package var readPlace: UInt32 { self.load(Field.tail) }

    /// What was written and not read, as far as `limit`: the bytes as they lie there, copied, because the writer may do
    /// with its memory what it likes.
    package func unread(from place: UInt32, limit: Int) -> [UInt8] {
        let available = Int(self.load(Field.head) &- place)
        // A writer that has gone mad.
        guard available <= self.capacity else { return [] }
        let count = min(available, limit)
        let offset = Int(place) & (self.capacity - 1)
        let first = min(count, self.capacity - offset)
        let start = UnsafeRawBufferPointer(start: self.base + Self.headerSize, count: self.capacity)
        return Array(start[offset..<offset + first]) + Array(start[0..<count - first])
    }

    /// Gives what was read back to the writer.
    package func finishReading(to place: UInt32) {
        cmesh_atomic_store(self.word(Field.tail), place)
        guard self.load(Field.writerSleeps) != 0,
            cmesh_atomic_exchange(self.word(Field.writerSleeps), 0) != 0
        else { return }
        _ = cmesh_shared_futex_wake(self.word(Field.tail), 1)
    }

    /// Announces that the reader will sleep. Returns false when something has come in the meantime; it must not then.
    package func sleep() -> Bool {
        cmesh_atomic_store(self.word(Field.readerSleeps), 1)
        guard self.load(Field.head) != self.load(Field.tail) else { return true }
        cmesh_atomic_store(self.word(Field.readerSleeps), 0)
        return false
    }
}

/// Takes records out of bytes from a ring.
package struct LogRingFrames {
    /// The records, as they were written.
    package var records: [Range<Int>] = []
    /// How many bytes they and their lengths take.
    package var size = 0
    /// Whether what follows cannot be a record.
    package var isDamaged = false

    package init(_ bytes: [UInt8]) {
        while bytes.count - self.size >= 4 {
            let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: self.size, as: UInt32.self)) }
            guard length > 0, length <= LogRing.largestRecord else {
                self.isDamaged = true
                return
            }
            let start = self.size + 4
            guard bytes.count - start >= length else { return }
            self.records.append(start..<start + length)
            self.size = start + length
        }
    }
}
