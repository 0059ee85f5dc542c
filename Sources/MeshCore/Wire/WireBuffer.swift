import Glibc

/// The bytes of one frame: filled by one writer, then handed to a transport, and immutable from then on.
///
/// Growing storage outside of Swift's arrays lets a transport take the bytes without a copy and keep the buffer alive
/// for as long as the peer has not acknowledged them.
///
/// `@unchecked Sendable`: the writer has the only reference until it hands the buffer over under its link's lock;
/// nobody writes afterwards.
package final class WireBuffer: @unchecked Sendable {
    // One writer at a time, as said above: checking that again at each access would cost more than the write.
    @exclusivity(unchecked) package private(set) var base: UnsafeMutableRawPointer
    @exclusivity(unchecked) package private(set) var capacity: Int
    @exclusivity(unchecked) package private(set) var count = 0

    package init(capacity: Int = 1024) {
        self.capacity = max(capacity, 64)
        self.base = UnsafeMutableRawPointer.allocate(byteCount: self.capacity, alignment: 16)
    }

    deinit { self.base.deallocate() }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.base, count: self.count) }

    /// Makes room for `additional` bytes more.
    package func reserve(_ additional: Int) {
        let needed = self.count + additional
        guard needed > self.capacity else { return }
        let capacity = max(needed, self.capacity * 2)
        let base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        base.copyMemory(from: self.base, byteCount: self.count)
        self.base.deallocate()
        self.base = base
        self.capacity = capacity
    }

    package func append(_ byte: UInt8) {
        self.reserve(1)
        self.base.storeBytes(of: byte, toByteOffset: self.count, as: UInt8.self)
        self.count += 1
    }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        self.reserve(bytes.count)
        (self.base + self.count).copyMemory(from: start, byteCount: bytes.count)
        self.count += bytes.count
    }

    package func append<Integer: FixedWidthInteger>(bigEndian value: Integer) {
        let size = MemoryLayout<Integer>.size
        self.reserve(size)
        (self.base + self.count).storeBytes(of: value.bigEndian, as: Integer.self)
        self.count += size
    }

    /// Begins anew, in the same memory. Only for one that nobody else has.
    package func removeAll() { self.count = 0 }

    /// Overwrites bytes that were written before.
    package func patch<Integer: FixedWidthInteger>(bigEndian value: Integer, at offset: Int) {
        precondition(offset + MemoryLayout<Integer>.size <= self.count)
        (self.base + offset).storeBytes(of: value.bigEndian, as: Integer.self)
    }
}
