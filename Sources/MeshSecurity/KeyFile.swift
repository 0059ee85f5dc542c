import CSodium
import Glibc
package import MeshCore

/// A key in a file: a line of comment, and one of words. Nothing that it says in an error is from the file.
package enum KeyFile {
    private static let format = "actormesh-key-1"
    /// No key file is longer.
    private static let maximumSize = 4096

    /// Reads a key.
    ///
    /// - Throws: `unauthorized` when the file is not there or cannot be read, when others than its owner may read it, or
    ///   when it holds no key.
    package static func read(_ path: String) throws(MeshError) -> MeshKey {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw MeshError(
                .unauthorized,
                "The key file \(path) cannot be read: \(describe(errno)). Make a key with `mesh keygen`, or check the path "
                    + "in --key-file or MESH_KEY_FILE.")
        }
        defer { close(descriptor) }
        try self.check(descriptor, path)
        var bytes = [UInt8](repeating: 0, count: Self.maximumSize)
        defer { sodium_memzero(&bytes, bytes.count) }
        var count = 0
        while count < bytes.count {
            let length = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            if length < 0, errno == EINTR { continue }
            guard length > 0 else { break }
            count += length
        }
        return try self.parse(bytes[..<count], path)
    }

    /// Whoever may read the file is a member.
    private static func check(_ descriptor: Int32, _ path: String) throws(MeshError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw MeshError(.unauthorized, "The key file \(path) is no plain file.")
        }
        // A secret that an orchestrator mounts cannot be changed by anybody, or belongs to a user with more rights.
        let isMounted = self.isReadOnly(descriptor)
        let isGiven = status.st_uid != geteuid() && geteuid() != 0 && status.st_mode & 0o022 == 0
        guard status.st_mode & 0o077 == 0 || isMounted || isGiven else {
            throw MeshError(
                .unauthorized,
                "Others than its owner may read the key file \(path). Keep it to yourself: chmod 600 \(path)")
        }
    }

    /// Whether the file lies in a file system that this process cannot write, as mounted secrets do.
    private static func isReadOnly(_ descriptor: Int32) -> Bool {
        var status = statvfs()
        return fstatvfs(descriptor, &status) == 0 && status.f_flag & UInt(ST_RDONLY) != 0
    }

    private static func parse(_ bytes: ArraySlice<UInt8>, _ path: String) throws(MeshError) -> MeshKey {
        let invalid = MeshError(
            .unauthorized, "\(path) holds no key that this version can read. `mesh keygen` writes key files.")
        let lines = bytes.split(separator: UInt8(ascii: "\n")).filter { $0.first != UInt8(ascii: "#") }
        guard lines.count == 1, let line = lines.first else { throw invalid }
        let words = line.split(separator: UInt8(ascii: " "))
        guard words.count >= 3, words[0].elementsEqual(Self.format.utf8) else { throw invalid }
        guard let role = MeshRole(String(decoding: words[1], as: UTF8.self)) else { throw invalid }
        if role == .member {
            guard words.count == 3, let root = try self.secret(words[2]) else { throw invalid }
            return try MeshKey(root: root)
        }
        guard words.count == 5, let number = Int(String(decoding: words[2], as: UTF8.self)),
            let identity = KeyIdentity(role, number), let secret = try self.secret(words[3]),
            let members = PublicKey(String(decoding: words[4], as: UTF8.self))
        else { throw invalid }
        return try MeshKey(identity: identity, secret: secret, members: members)
    }

    /// Reads the mesh key out of what somebody pasted of its file, in one line or several.
    ///
    /// - Throws: `unauthorized` when there is none in it.
    package static func read(pasted text: String) throws(MeshError) -> MeshKey {
        var bytes = Array(text.utf8)
        defer { sodium_memzero(&bytes, bytes.count) }
        let words = bytes.split(whereSeparator: { $0 == 32 || (9...13).contains($0) })
        guard let start = words.firstIndex(where: { $0.elementsEqual(Self.format.utf8) }), words.count == start + 3,
            words[start + 1].elementsEqual(MeshRole.member.description.utf8),
            let root = try self.secret(words[start + 2])
        else { throw MeshError(.unauthorized, "That is no mesh key. `mesh keygen` writes files with one.") }
        return try MeshKey(root: root)
    }

    /// The bytes of hexadecimal digits, without a copy on the way; nil for anything else.
    private static func secret(_ digits: ArraySlice<UInt8>) throws(MeshError) -> Secret? {
        var isComplete = false
        let secret = try Secret { secret in
            var count = 0
            isComplete =
                digits.withUnsafeBufferPointer { digits in
                    digits.withMemoryRebound(to: CChar.self) { digits in
                        sodium_hex2bin(secret, Secret.count, digits.baseAddress, digits.count, nil, &count, nil)
                    }
                } == 0 && count == Secret.count && digits.count == 2 * Secret.count
        }
        return isComplete ? secret : nil
    }

    /// Writes a key to a new file that only its owner can read.
    ///
    /// - Throws: `invalidArgument` when there is something already; `systemFailure` when it cannot be written. Then
    ///   nothing is left of it.
    package static func write(_ key: MeshKey, to path: String) throws(MeshError) {
        // It has its name only when it is whole, and never another's.
        let draft = "\(path).\(getpid())"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw MeshError(.systemFailure, "The key file \(path) cannot be made: \(describe(errno)).")
        }
        defer {
            close(descriptor)
            unlink(draft)
        }
        try self.write(key, to: descriptor)
        guard fchmod(descriptor, 0o600) == 0, fsync(descriptor) == 0 else {
            throw MeshError(.systemFailure, "The key cannot be stored: \(describe(errno)).")
        }
        guard link(draft, path) == 0 else {
            let reason = errno
            if reason == EEXIST {
                throw MeshError(
                    .invalidArgument, "There is a file \(path) already, which may be a key in use. Choose another name."
                )
            }
            throw MeshError(.systemFailure, "The key file \(path) cannot be made: \(describe(reason)).")
        }
    }

    /// Writes a key to an open file or pipe.
    package static func write(_ key: MeshKey, to descriptor: Int32) throws(MeshError) {
        var text = Self.heading(of: key.identity)
        text += "\(Self.format) \(key.identity) "
        var line = Array(text.utf8)
        line.reserveCapacity(line.count + 256)
        defer { sodium_memzero(&line, line.count) }
        key.secret.withBytes { secret in
            let digits = Array("0123456789abcdef".utf8)
            for byte in UnsafeBufferPointer(start: secret, count: Secret.count) {
                line.append(digits[Int(byte >> 4)])
                line.append(digits[Int(byte & 15)])
            }
        }
        if key.identity != .member { line += " \(key.members)".utf8 }
        line.append(UInt8(ascii: "\n"))
        var start = 0
        while start < line.count {
            let count = line[start...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw MeshError(.systemFailure, "The key cannot be written: \(describe(errno)).")
            }
            start += count
        }
    }

    private static func heading(of identity: KeyIdentity) -> String {
        switch identity.role {
        case .member: "# The key of an actor mesh. Whoever has it can do everything there: keep it secret.\n"
        case .driver: "# A key for programs that use an actor mesh: they spawn, call and kill. Keep it secret.\n"
        case .observer: "# A key for those who look at an actor mesh: they list and tail. Keep it secret.\n"
        }
    }
}

/// The system's words for an error.
func describe(_ number: Int32) -> String { String(cString: strerror(number)) }
