import CMeshPlatform
import FoundationEssentials
import Glibc
import MeshCore

/// An open file that holds a segment: memory, or a file on disk that has no name. Nothing is left of it when it was
/// closed everywhere, however the processes ended that had it.
final class SegmentFile: Sendable {
    let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(self.descriptor) }

    /// New memory.
    static func memory(_ name: String) throws(MeshError) -> SegmentFile {
        let descriptor = cmesh_memory_file(name)
        guard descriptor >= 0 else { throw self.failure("Memory for an object cannot be had", errno) }
        return SegmentFile(descriptor: descriptor)
    }

    /// A new file in a folder, for what memory has no room for.
    static func disk(_ folder: String) throws(MeshError) -> SegmentFile {
        let descriptor = cmesh_nameless_file(folder)
        guard descriptor >= 0 else {
            throw self.failure(
                "An object cannot be written to the folder \(folder) for what memory has no room for", errno)
        }
        return SegmentFile(descriptor: descriptor)
    }

    /// What another process of this host has open.
    static func opened(by process: Int32, _ descriptor: Int32) -> SegmentFile? {
        let own = cmesh_open_of_process(process, descriptor)
        return own < 0 ? nil : SegmentFile(descriptor: own)
    }

    static func failure(_ what: String, _ code: Int32) -> MeshError {
        let advice = code == ENOSPC || code == ENOMEM ? "; free objects, or give the mesh more room for them" : ""
        return MeshError(.insufficientResources, "\(what): \(String(cString: strerror(code)))\(advice).")
    }

    /// How many bytes it has.
    var size: Int {
        var status = stat()
        return fstat(self.descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Writes bytes at a place. New memory is filled as it is written, so it takes no page faults, and a lack of memory
    /// is an error and no signal.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(MeshError) {
        var done = 0
        while done < bytes.count {
            let count = pwrite(
                self.descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("An object cannot be written", count == 0 ? ENOSPC : errno) }
            done += count
        }
    }

    /// Writes the first bytes of another file at a place. Blocks for as long as a disk takes.
    func copy(from file: SegmentFile, size: Int, at place: Int = 0) throws(MeshError) {
        guard cmesh_copy_file(file.descriptor, self.descriptor, place, size) == 0 else {
            throw Self.failure("An object of \(size) bytes cannot be written", errno)
        }
    }

    /// Reads bytes from a place.
    func read(at offset: Int, count: Int) throws(MeshError) -> Data {
        var data = Data(count: count)
        var done = 0
        while done < count {
            let read = data.withUnsafeMutableBytes { bytes in
                pread(self.descriptor, bytes.baseAddress?.advanced(by: done), count - done, off_t(offset + done))
            }
            if read < 0, errno == EINTR { continue }
            guard read > 0 else { throw Self.failure("An object cannot be read", read == 0 ? EIO : errno) }
            done += read
        }
        return data
    }

    /// Nobody can change it any more. On disk nobody else can open it to be written.
    func seal() throws(MeshError) {
        guard cmesh_seal(self.descriptor) == 0 else { throw Self.failure("An object cannot be sealed", errno) }
    }

    /// Whether it is memory that was sealed, or a file without a name.
    var isUnchangeable: Bool {
        if cmesh_is_sealed(self.descriptor) { return true }
        var status = stat()
        return fstat(self.descriptor, &status) == 0 && status.st_nlink == 0 && status.st_mode & S_IFMT == S_IFREG
            && status.st_uid == geteuid()
    }
}

/// Does what blocks on a thread of its own.
func onOwnThread<Value: Sendable>(
    _ work: @escaping @Sendable () throws(MeshError) -> Value
) async throws(MeshError) -> Value {
    let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, MeshError>, Never>) in
        let isStarted = startThread(named: "mesh-objects") {
            continuation.resume(returning: Result { () throws(MeshError) in try work() })
        }
        guard !isStarted else { return }
        continuation.resume(
            returning: .failure(MeshError(.insufficientResources, "A thread for an object cannot be started.")))
    }
    return try result.get()
}
