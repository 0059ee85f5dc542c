public import FoundationEssentials
import Glibc
import MeshCore
import MeshMessagePack

/// Files as objects.
extension Mesh {
    /// Makes the content of a file known to the mesh, without passing it through this program's memory: it is copied to
    /// where objects are kept, so that later changes of the file change nothing.
    ///
    /// - Throws: `invalidArgument` when the path names no file that can be read; `insufficientResources` as
    ///   ``put(_:)``.
    public func put(contentsOf path: String) async throws -> ObjectRef<Data> {
        let (file, size) = try Self.open(path)
        let object = self.makeObject(Data.self)
        guard size > MeshSettings.smallObject else {
            object.become(.value(try file.read(at: 0, count: size)))
            return ObjectRef(object)
        }
        guard let head = MessagePackAttachment.reference(toAttachment: 0, of: nil) else {
            throw MeshError(.invalidArgument, "\(path) cannot be an object.")
        }
        let layout = SegmentLayout(head: head.count, parts: [size])
        let place = layout.parts[0].lowerBound
        let stored = try await self.store(layout, head: head, for: self.address.peer) { segment in
            do {
                try await onOwnThread { () throws(MeshError) in try segment.copy(from: file, size: size, at: place) }
            } catch {
                guard file.size != size else { throw error }
                throw MeshError(.invalidArgument, "\(path) was changed while it was read.", cause: error)
            }
        }
        object.become(.stored(StoredValue(stored, holds: EncodedValue(), isOwn: true, on: self)))
        return ObjectRef(object)
    }

    /// The same for a URL of a file.
    public func put(contentsOf url: URL) async throws -> ObjectRef<Data> {
        guard url.isFileURL else { throw MeshError(.invalidArgument, "\(url) is no file of this host.") }
        return try await self.put(contentsOf: url.path)
    }

    private static func open(_ path: String) throws(MeshError) -> (file: SegmentFile, size: Int) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            throw MeshError(.invalidArgument, "\(path) cannot be read: \(String(cString: strerror(errno))).")
        }
        let file = SegmentFile(descriptor: descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw MeshError(.invalidArgument, "\(path) is no ordinary file.")
        }
        // As those below /proc: how much is in them nobody knows before it was read.
        var byte: UInt8 = 0
        guard status.st_size > 0 || pread(descriptor, &byte, 1, 0) <= 0 else {
            throw MeshError(.invalidArgument, "\(path) does not say how large it is. Read it, and put what is in it.")
        }
        return (file, Int(status.st_size))
    }
}
