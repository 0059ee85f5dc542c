package import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A growing block of bytes that the encoder appends to.
///
/// A class, because libmsgpack's write callback needs a stable address, and one that can be emptied and used again so
/// that a sender allocates nothing per message. It belongs to one task at a time.
package final class MessagePackBuffer {
    private struct Storage {
        var base: UnsafeMutableRawPointer?
        var capacity = 0
        var count = 0
    }

    /// Behind a pointer, because the runtime checks each access to a class's variables for exclusivity, which took a
    /// seventh of the time of encoding a small struct.
    private let storage: UnsafeMutablePointer<Storage>

    /// The number of bytes held.
    package private(set) var count: Int {
        @inline(__always) get { self.storage.pointee.count }
        @inline(__always) set { self.storage.pointee.count = newValue }
    }

    private var base: UnsafeMutableRawPointer? {
        @inline(__always) get { self.storage.pointee.base }
        @inline(__always) set { self.storage.pointee.base = newValue }
    }

    private var capacity: Int {
        @inline(__always) get { self.storage.pointee.capacity }
        @inline(__always) set { self.storage.pointee.capacity = newValue }
    }

    /// Creates an empty buffer with room for so many bytes.
    package init(capacity: Int = 0) {
        self.storage = .allocate(capacity: 1)
        self.storage.initialize(to: Storage())
        if capacity > 0 {
            self.grow(to: capacity)
        }
    }

    deinit {
        free(self.base)
        self.storage.deallocate()
    }

    /// Calls the closure with the bytes held; they stay valid only until it returns.
    package func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(start: self.base, count: self.count))
    }

    /// Forgets the bytes; with `keepingCapacity` the memory stays for the next use.
    package func removeAll(keepingCapacity: Bool) {
        self.count = 0
        if !keepingCapacity {
            free(self.base)
            self.base = nil
            self.capacity = 0
        }
    }

    /// Forgets the bytes from an offset on.
    package func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "cannot truncate to more than is held")
        self.count = count
    }

    /// Appends bytes.
    @inline(__always)
    package func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        self.append(source, count: bytes.count)
    }

    @inline(__always)
    func append(_ source: UnsafeRawPointer, count: Int) {
        (self.reserve(count) + self.count).copyMemory(from: source, byteCount: count)
        self.count += count
    }

    @inline(__always)
    func append(byte: UInt8) {
        self.reserve(1).storeBytes(of: byte, toByteOffset: self.count, as: UInt8.self)
        self.count += 1
    }

    /// Overwrites bytes already held, beginning at an offset.
    package func patch(at offset: Int, with bytes: UnsafeRawBufferPointer) {
        precondition(offset >= 0 && offset + bytes.count <= self.count, "a patch stays within the bytes held")
        guard let base = self.base, let source = bytes.baseAddress else { return }
        (base + offset).copyMemory(from: source, byteCount: bytes.count)
    }

    /// Hands the bytes over as `Data` without copying large ones, and leaves the buffer empty.
    package func takeData() -> Data {
        guard let base = self.base, self.count > 0 else { return Data() }
        // A copy is cheaper than an allocation's bookkeeping while small, and returns unused room when half is idle.
        if self.count <= 512 || self.count * 2 < self.capacity {
            let data = Data(bytes: base, count: self.count)
            self.count = 0
            return data
        }
        let data = Data(bytesNoCopy: base, count: self.count, deallocator: .free)
        self.base = nil
        self.capacity = 0
        self.count = 0
        return data
    }

    /// Opens a gap of so many bytes at an offset, moving what follows.
    func openGap(of size: Int, at offset: Int) {
        let base = self.reserve(size)
        memmove(base + offset + size, base + offset, self.count - offset)
        self.count += size
    }

    /// Removes the bytes of a range, moving what follows.
    func remove(_ range: Range<Int>) {
        guard let base = self.base, !range.isEmpty else { return }
        memmove(base + range.lowerBound, base + range.upperBound, self.count - range.upperBound)
        self.count -= range.count
    }

    /// Inserts several byte blocks, each at an offset of the bytes as they are now, in one backward pass.
    func insert(_ parts: [(offset: Int, bytes: MessagePackBuffer)]) {
        let total = parts.reduce(0) { $0 + $1.bytes.count }
        guard total > 0 else { return }
        let base = self.reserve(total)
        var sourceEnd = self.count
        var targetEnd = self.count + total
        for part in parts.reversed() {
            let tail = sourceEnd - part.offset
            targetEnd -= tail
            memmove(base + targetEnd, base + part.offset, tail)
            sourceEnd = part.offset
            if let bytes = part.bytes.base {
                targetEnd -= part.bytes.count
                memcpy(base + targetEnd, bytes, part.bytes.count)
            }
        }
        self.count += total
    }

    /// The start of the memory after making room for so many more bytes.
    @inline(__always)
    private func reserve(_ extra: Int) -> UnsafeMutableRawPointer {
        if let base = self.base, self.capacity - self.count >= extra { return base }
        return self.grow(to: self.count + extra)
    }

    @inline(never)
    @discardableResult
    private func grow(to needed: Int) -> UnsafeMutableRawPointer {
        let capacity = max(64, needed, self.capacity * 2)
        guard let base = realloc(self.base, capacity) else {
            // What Swift's own allocations do: there is no message to send without memory for it.
            preconditionFailure("out of memory for a buffer of \(capacity) bytes")
        }
        self.base = base
        self.capacity = capacity
        return base
    }
}
