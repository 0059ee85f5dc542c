public import FoundationEssentials
import Glibc

/// Keeps each state in a file of its own, for the processes of one host.
///
/// The folder has one for each actor type, and in that one for each key. A save writes a new file, brings it to the disk
/// (`fsync`), puts it in the place of the old one (`rename`), and brings that to the disk; so it takes as long as the
/// disk needs twice. A damaged file is recognised by its checksum and never used. Files are for their user alone (0600).
public struct FileStateStore: StateStore {
    /// The folder; it is made when it is needed.
    public let directory: String

    /// Keeps states below a folder, which must be on a disk of this host.
    public init(directory: String) { self.directory = directory }

    /// Where states are kept unless a program says otherwise: the folder that `MESH_STATE` names; else a folder of the
    /// program's in `actormesh` in `$XDG_STATE_HOME`, which is `~/.local/state`.
    public static func standard(program: String) -> FileStateStore {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        if let directory = getenv("MESH_STATE").map({ String(cString: $0) }), !directory.isEmpty {
            return FileStateStore(directory: directory)
        }
        let base = variable("XDG_STATE_HOME") ?? "\(variable("HOME") ?? "/var/lib")/.local/state"
        return FileStateStore(directory: "\(base)/actormesh/\(Self.safe(program))")
    }

    /// Takes a state over. What was saved before stays where it is until the first save.
    public func claim(_ key: StateKey) throws(StateStoreError) -> StateClaim {
        let folder = self.folder(of: key)
        try StateFolder.make(folder.path)
        let number = try folder.addClaim()
        try Self.asOwner(number, of: folder) { () throws(StateStoreError) in try folder.inherit(number) }
        try folder.removeClaims(below: number)
        return StateClaim(key: key, number: number)
    }

    /// What the file of a claim holds.
    public func load(_ claim: StateClaim) throws(StateStoreError) -> Data? {
        let folder = self.folder(of: claim.key)
        let data = try Self.asOwner(claim.number, of: folder) { () throws(StateStoreError) in
            try folder.read(claim.number)
        }
        guard !data.isEmpty else { return nil }
        do {
            return try StateFile(key: claim.key, reading: data).state
        } catch {
            throw StateStoreError(
                error.code,
                "the file \(folder.file(claim.number)) is damaged: \(error.message). Put a copy in its place, or remove it "
                    + "to begin afresh")
        }
    }

    /// Puts a new file in place.
    public func save(_ data: Data, _ claim: StateClaim) throws(StateStoreError) {
        let folder = self.folder(of: claim.key)
        try folder.checkOwner(claim.number)
        try Self.asOwner(claim.number, of: folder) { () throws(StateStoreError) in
            try folder.replace(claim.number, with: StateFile(key: claim.key, state: data).bytes)
        }
    }

    /// Does something that counts only if there is no newer claim afterwards, whether it went well or not.
    private static func asOwner<Result>(
        _ number: UInt64, of folder: StateFolder, _ action: () throws(StateStoreError) -> Result
    ) throws(StateStoreError) -> Result {
        let result: Result
        do {
            result = try action()
        } catch {
            try folder.checkOwner(number)
            throw error
        }
        try folder.checkOwner(number)
        return result
    }

    /// Removes a state. An empty file stays in its place, so that an actor that still has it cannot save it again.
    public func remove(_ key: StateKey) throws(StateStoreError) {
        let folder = self.folder(of: key)
        guard try !folder.claims().isEmpty else { return }
        try folder.removeClaims(below: try folder.addClaim())
        try StateFolder.synchronise(folder.path)
    }

    func folder(of key: StateKey) -> StateFolder {
        StateFolder(path: "\(self.directory)/\(Self.safe(key.type))/\(Self.safe(key.key))")
    }

    /// A name that a folder can have, another one for each text: letters, digits, `.`, `-` and `_` as they are, the rest
    /// as `%` and two digits, and what is too long cut off, with a checksum of all of it.
    static func safe(_ text: String) -> String {
        var name = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                name.unicodeScalars.append(UnicodeScalar(byte))
            case UInt8(ascii: ".") where !name.isEmpty: name += "."
            default: name += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        guard name.utf8.count > 200 else { return name.isEmpty ? "%" : name }
        // FNV-1a. Should two long keys have the same, the file says whose it is.
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        return "\(name.prefix(180))%\(String(hash, radix: 16))"
    }
}
