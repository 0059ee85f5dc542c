package import FoundationEssentials
import Glibc
package import MeshCore
import MeshRuntime

/// Pieces of bytes, one after the other, that are complete or not there: in a file, or in memory.
///
/// Each stands behind its length and the checksum of both, four bytes each, the least significant first. What follows
/// the last complete one when a file is opened is cut off: a process was ended while it wrote. Not for several threads.
package final class FrameFile {
    /// Nil for one in memory.
    package let path: String?
    private let descriptor: Int32
    private var memory: [UInt8] = []
    /// Where the next one goes.
    package private(set) var size = 0

    package static let headSize = 8
    /// No frame is larger.
    package static let largest = 64 << 20

    /// One in memory.
    package init() {
        self.path = nil
        self.descriptor = -1
    }

    /// Makes or opens a file.
    ///
    /// - Parameter found: is given each frame that is there already, with its place.
    /// - Throws: `systemFailure` when it cannot be opened; what the closure throws.
    package init(
        path: String, found: (_ frame: UnsafeRawBufferPointer, _ place: Int) throws -> Void = { _, _ in }
    )
        throws
    {
        self.path = path
        self.descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else { throw Self.failure("The file \(path) cannot be opened") }
        let bytes = try self.readAll()
        self.size = try bytes.withUnsafeBytes { try Self.scan($0, found) }
        if self.size < bytes.count, ftruncate(self.descriptor, self.size) != 0 {
            throw Self.failure("The file \(path) cannot be cut")
        }
    }

    /// Opens a file of which is known that it has whole frames only.
    init(path: String, known size: Int) throws(MeshError) {
        self.path = path
        self.size = size
        self.descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard self.descriptor >= 0 else { throw Self.failure("The file \(path) cannot be opened") }
    }

    deinit { if self.descriptor >= 0 { close(self.descriptor) } }

    /// Gives each complete frame to a closure. Returns where they end.
    package static func scan(
        _ bytes: UnsafeRawBufferPointer, _ found: (UnsafeRawBufferPointer, Int) throws -> Void
    ) rethrows -> Int {
        var place = 0
        while let end = Self.end(of: bytes, at: place) {
            try found(UnsafeRawBufferPointer(rebasing: bytes[place + Self.headSize..<end]), place)
            place = end
        }
        return place
    }

    /// Where the frame at a place ends; nil when there is none, or not a whole one.
    private static func end(of bytes: UnsafeRawBufferPointer, at place: Int) -> Int? {
        guard bytes.count - place >= Self.headSize else { return nil }
        let length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self))
        let checksum = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self))
        // Zeroes are what a file system leaves behind that had no time to write.
        guard length > 0, length <= Self.largest, bytes.count - place - Self.headSize >= Int(length) else { return nil }
        let frame = UnsafeRawBufferPointer(rebasing: bytes[place + Self.headSize..<place + Self.headSize + Int(length)])
        guard Checksum.crc32c(frame) == checksum else { return nil }
        return place + Self.headSize + Int(length)
    }

    /// Adds a frame; when this returns it survives the end of this process. Returns its place.
    ///
    /// - Throws: `systemFailure` when it cannot be written, as on a full disk; then nothing of it is there.
    @discardableResult
    package func append(_ frame: Data) throws(MeshError) -> Int {
        let place = self.size
        var bytes = [UInt8]()
        bytes.reserveCapacity(frame.count + Self.headSize)
        for number in [UInt32(frame.count), Checksum.crc32c(frame)] {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(contentsOf: frame)
        guard self.descriptor >= 0 else {
            self.memory.append(contentsOf: bytes)
            self.size = self.memory.count
            return place
        }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    self.descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written,
                    off_t(place + written))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = Self.failure("The file \(self.path ?? "") cannot be written")
                _ = ftruncate(self.descriptor, off_t(place))
                throw error
            }
            written += count
        }
        self.size += bytes.count
        return place
    }

    /// Gives the frames from a place on to a closure, as long as it wants more.
    ///
    /// - Parameter limit: no more bytes are read than this, or one frame.
    /// - Returns: where to go on.
    /// - Throws: `systemFailure` when the file cannot be read or is damaged there; what the closure throws.
    package func read(
        from place: Int, limit: Int, _ body: (_ frame: UnsafeRawBufferPointer, _ place: Int) throws -> Bool
    ) throws -> Int {
        guard place < self.size else { return place }
        var bytes = try self.bytes(place..<min(self.size, place + max(limit, Self.headSize)))
        if let length = Self.announced(bytes), length > bytes.count {
            bytes = try self.bytes(place..<min(self.size, place + length))
        }
        var isWanted = true
        return try bytes.withUnsafeBytes { buffer in
            var next = 0
            while isWanted, let end = Self.end(of: buffer, at: next) {
                isWanted = try body(
                    UnsafeRawBufferPointer(rebasing: buffer[next + Self.headSize..<end]), place + next)
                next = end
            }
            guard next > 0 else {
                throw MeshError(.systemFailure, "The file \(self.path ?? "of logs") is damaged at \(place).")
            }
            return place + next
        }
    }

    /// How long the first frame is, with what stands before it.
    private static func announced(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= Self.headSize else { return nil }
        let length = bytes.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) }
        return length <= Self.largest ? Int(length) + Self.headSize : nil
    }

    private func bytes(_ range: Range<Int>) throws(MeshError) -> [UInt8] {
        guard self.descriptor >= 0 else { return Array(self.memory[range]) }
        var bytes = [UInt8](repeating: 0, count: range.count)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(
                    self.descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled,
                    off_t(range.lowerBound + filled))
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("The file \(self.path ?? "") cannot be read") }
            if count == 0 { break }
            filled += count
        }
        return filled < bytes.count ? Array(bytes[..<filled]) : bytes
    }

    private func readAll() throws(MeshError) -> [UInt8] {
        var status = stat()
        guard fstat(self.descriptor, &status) == 0 else {
            throw Self.failure("The file \(self.path ?? "") cannot be read")
        }
        return try self.bytes(0..<Int(status.st_size))
    }

    /// A descriptor of the same file, which is the caller's to close; nil when there is none.
    package func duplicate() -> Int32? {
        let copy = self.descriptor >= 0 ? fcntl(self.descriptor, F_DUPFD_CLOEXEC, 0) : -1
        return copy >= 0 ? copy : nil
    }

    /// Returns when everything is on the disk.
    package func synchronise() { if self.descriptor >= 0 { fdatasync(self.descriptor) } }

    /// Removes the file; what is open of it can still be read.
    package func remove() { if let path { unlink(path) } }

    static func failure(_ what: String) -> MeshError { MeshError(.systemFailure, "\(what).", cause: describeErrno()) }
}
