import ActorMesh
import FoundationEssentials
import Glibc

/// Keeps bytes in files, for other actors. Several share the work.
distributed actor FilePersistence: RemoteActor {
    struct Arguments: Codable, Sendable { var directory: String }
    struct Failure: Error, Codable { var step: String, file: String, reason: String }

    private let directory: String

    init(_ arguments: Arguments, actorSystem: Mesh) throws {
        self.actorSystem = actorSystem
        self.directory = arguments.directory
        guard mkdir(self.directory, 0o700) == 0 || errno == EEXIST else {
            throw Self.failure("make", self.directory)
        }
    }

    distributed func load(_ key: String) throws -> Data? {
        let path = "\(self.directory)/\(key)"
        return FileManager.default.fileExists(atPath: path) ? try Data(contentsOf: URL(filePath: path)) : nil
    }

    /// Returns when the bytes are on the disk. Killed at any moment, this leaves the old file or the new one.
    distributed func store(_ bytes: Data, _ key: String) throws {
        let path = "\(self.directory)/\(key)"
        // Each writer has its own, so that two never write into the same.
        let temporary = "\(path).\(self.id.uniqueID)"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failure("open", temporary) }
        defer { close(file) }
        do {
            try Self.write(bytes, to: file, temporary)
            guard fsync(file) == 0 else { throw Self.failure("write", temporary) }
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else { throw Self.failure("replace", path) }
        // The new name must be on the disk too.
        let folder = open(self.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(folder) }
        guard folder >= 0, fsync(folder) == 0 else { throw Self.failure("write", self.directory) }
    }

    /// The system may take a part at a time.
    private static func write(_ bytes: Data, to file: Int32, _ path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("write", path) }
            rest = rest.dropFirst(count)
        }
    }

    private static func failure(_ step: String, _ file: String) -> Failure {
        Failure(step: step, file: file, reason: String(cString: strerror(errno)))
    }
}

/// Several of them, used in turn.
struct FilePersistencePool: Codable, Sendable {
    var members: [FilePersistence]
    private var turn = 0

    init(_ members: [FilePersistence]) { self.members = members }

    mutating func next() -> FilePersistence {
        self.turn += 1
        return self.members[self.turn % self.members.count]
    }
}
