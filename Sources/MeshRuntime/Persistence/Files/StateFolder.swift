import FoundationEssentials
import Glibc

/// The folder of one state: a file for each claim, named by its number. A claim that has not saved is an empty file.
///
/// Nothing here locks, so that an owner that is frozen in the middle of a save keeps nobody from taking over. A save
/// puts its file in place and then looks for newer claims; a claim announces itself and then looks for the state. So
/// either the save sees the claim and does not count, or the claim sees what was saved.
struct StateFolder {
    let path: String

    /// The numbers of all claims. Empty when there is no such folder.
    ///
    /// - Parameter number: those next to this one are found also while their files are being replaced, which may hide
    ///   them from a look at the whole folder.
    func claims(near number: UInt64 = 0) throws(StateStoreError) -> Set<UInt64> {
        guard let directory = opendir(self.path) else {
            if errno == ENOENT { return [] }
            throw StateStoreError.system("the folder \(self.path) cannot be read")
        }
        defer { closedir(directory) }
        var numbers: Set<UInt64> = []
        while let entry = readdir(directory) {
            if let number = UInt64(Self.name(of: entry)) { numbers.insert(number) }
        }
        for neighbour in (number < 8 ? 1 : number - 7)...(number + 8) where access(self.file(neighbour), F_OK) == 0 {
            numbers.insert(neighbour)
        }
        return numbers
    }

    /// Makes a new claim, by way of an empty file that nobody else can make.
    func addClaim() throws(StateStoreError) -> UInt64 {
        while true {
            let number = (try self.claims().max() ?? 0) + 1
            let descriptor = open(self.file(number), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if descriptor >= 0 {
                close(descriptor)
                return number
            }
            // Another was faster.
            guard errno == EEXIST else {
                throw StateStoreError.system("the file \(self.file(number)) cannot be made")
            }
        }
    }

    /// Gives a claim what the newest one before it has saved, if there is such a thing, without copying it.
    func inherit(_ number: UInt64) throws(StateStoreError) {
        let temporary = self.temporary(number)
        while let earlier = try self.lastSaved(below: number) {
            unlink(temporary)
            if link(self.file(earlier), temporary) == 0 {
                guard rename(temporary, self.file(number)) == 0 else {
                    throw StateStoreError.system("the file \(self.file(number)) cannot be made")
                }
                return try Self.synchronise(self.path)
            }
            // The one after it has inherited it meanwhile, and removed it.
            guard errno == ENOENT else {
                throw StateStoreError.system("the file \(self.file(earlier)) cannot be linked")
            }
        }
    }

    private func lastSaved(below number: UInt64) throws(StateStoreError) -> UInt64? {
        for candidate in try self.claims(near: number).sorted(by: >) where candidate < number {
            var status = stat()
            if stat(self.file(candidate), &status) == 0, status.st_size > 0 { return candidate }
        }
        return nil
    }

    /// Throws when there is a newer claim.
    func checkOwner(_ number: UInt64) throws(StateStoreError) {
        guard try self.claims(near: number).allSatisfy({ $0 <= number }) else {
            throw StateStoreError(.takenOver, "another actor has taken it over")
        }
    }

    /// Puts bytes into the place of what a claim has saved, completely or not at all.
    func replace(_ number: UInt64, with data: Data) throws(StateStoreError) {
        let temporary = self.temporary(number)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StateStoreError.system("the file \(temporary) cannot be made") }
        do throws(StateStoreError) {
            defer { close(descriptor) }
            try Self.write(data, to: descriptor, path: temporary)
            guard fsync(descriptor) == 0 else { throw StateStoreError.system("\(temporary) cannot be written to disk") }
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, self.file(number)) == 0 else {
            let error = StateStoreError.system("\(temporary) cannot be put into its place")
            unlink(temporary)
            throw error
        }
        try Self.synchronise(self.path)
    }

    func read(_ number: UInt64) throws(StateStoreError) -> Data {
        let path = self.file(number)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StateStoreError.system("the file \(path) cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        fstat(descriptor, &status)
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw StateStoreError.system("the file \(path) cannot be read") }
            if count == 0 { break }
            filled += count
        }
        return Data(bytes[..<filled])
    }

    /// Removes what earlier claims left, their unfinished files too.
    func removeClaims(below number: UInt64) throws(StateStoreError) {
        for earlier in try self.claims() where earlier < number {
            unlink(self.temporary(earlier))
            unlink(self.file(earlier))
        }
    }

    func file(_ number: UInt64) -> String { "\(self.path)/\(number)" }

    func temporary(_ number: UInt64) -> String { "\(self.path)/\(number).new" }

    // MARK: System calls

    /// Makes a folder and those above it, so that they are there for good.
    static func make(_ path: String) throws(StateStoreError) {
        if mkdir(path, 0o700) == 0 { return try self.synchronise(self.parent(of: path)) }
        if errno == EEXIST { return }
        let parent = self.parent(of: path)
        guard errno == ENOENT, parent != path else { throw StateStoreError.system("the folder \(path) cannot be made") }
        try self.make(parent)
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw StateStoreError.system("the folder \(path) cannot be made")
        }
        try self.synchronise(parent)
    }

    /// Returns when the names in a folder are on the disk.
    static func synchronise(_ path: String) throws(StateStoreError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StateStoreError.system("the folder \(path) cannot be opened") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw StateStoreError.system("the folder \(path) cannot be written to disk")
        }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func write(_ data: Data, to descriptor: Int32, path: String) throws(StateStoreError) {
        var written = 0
        while written < data.count {
            let count = data.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw StateStoreError.system("the file \(path) cannot be written") }
            written += count
        }
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

extension StateStoreError {
    /// A system call has failed: what it was for, and what the system says.
    static func system(_ what: String) -> StateStoreError {
        let reason = errno
        return StateStoreError(.failed, "\(what): \(strerror(reason).map { String(cString: $0) } ?? "error \(reason)")")
    }
}
