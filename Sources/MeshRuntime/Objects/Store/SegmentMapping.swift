import FoundationEssentials
import Glibc
import MeshCore

/// A segment as it is read: its memory, mapped into this process, where it stays while somebody refers to it.
///
/// `@unchecked Sendable`: nobody can change the memory behind it; whoever writes through a `Data` of it gets pages of
/// their own, by the kernel.
final class SegmentMapping: @unchecked Sendable {
    let layout: SegmentLayout
    private let bytes: UnsafeRawBufferPointer

    /// Maps a file that holds a segment.
    ///
    /// - Returns: nil when it holds another one, or none.
    /// - Throws: `insufficientResources` when there is no room for it.
    init?(_ file: SegmentFile, number: UInt64, maker: UInt64) throws(MeshError) {
        let size = file.size
        guard size >= SegmentLayout.headerSize, file.isUnchangeable else { return nil }
        // Writable, but for this process alone: `Data` that refers to it may be changed by its owner.
        guard
            let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.descriptor, 0),
            base != UnsafeMutableRawPointer(bitPattern: -1)
        else { throw SegmentFile.failure("An object of \(size) bytes cannot be mapped", errno) }
        let bytes = UnsafeRawBufferPointer(start: base, count: size)
        guard let layout = SegmentLayout(reading: bytes, number: number, maker: maker) else {
            munmap(base, size)
            return nil
        }
        self.bytes = bytes
        self.layout = layout
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: self.bytes.baseAddress), self.bytes.count) }

    /// The MessagePack of the value.
    var head: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self.bytes[self.layout.head]) }

    /// The large parts, in place.
    var parts: [Data] {
        self.layout.parts.map { range in
            guard let base = self.bytes.baseAddress, !range.isEmpty else { return Data() }
            return Data(
                bytesNoCopy: UnsafeMutableRawPointer(mutating: base + range.lowerBound), count: range.count,
                deallocator: .custom { [self] _, _ in withExtendedLifetime(self) {} })
        }
    }

    /// The bytes of a large part.
    func part(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.bytes[self.layout.parts[index]])
    }
}
