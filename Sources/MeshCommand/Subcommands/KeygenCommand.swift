import ActorMesh
import ArgumentParser
import Glibc
import MeshCore
import MeshSecurity

struct KeygenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Makes the key of a mesh, or a key with fewer rights.",
        discussion: """
            The mesh key is what brokers, nodes and workers have: with it a mesh can span hosts, every connection between \
            them is encrypted, and nobody without a key gets in. Copy it to each host by a way that you trust, and name it \
            in --key-file or MESH_KEY_FILE.

            From the mesh key come keys for drivers, who spawn, call and kill actors, and for observers, who list actors \
            and nodes and tail collectors. They have numbers, by which `mesh revoke` names them: give each holder one of \
            their own.

            The file is for this user alone (mode 0600). One that exists is not touched: the command fails, or with \
            --if-missing it is done.

            Examples:
              mesh keygen mesh.key
              mesh keygen --role observer --number 7 --from mesh.key observer-7.key
            """)

    @Argument(help: "The file to make; - for standard output, unless that is a terminal.")
    var file: String

    @Option(help: ArgumentHelp("What the holder may do.", valueName: "role"))
    var role: RoleName = .member

    @Option(help: ArgumentHelp("Which of the keys of that role, from 1 to 1023 (default: 1).", valueName: "n"))
    var number: Int?

    @Option(
        help: ArgumentHelp(
            "The mesh key from which the key of a driver or an observer comes (default: MESH_KEY_FILE).",
            valueName: "file"))
    var from: String?

    @Flag(help: "If the file is there already, leave it alone and succeed.")
    var ifMissing = false

    func validate() throws {
        guard !self.file.isEmpty else { throw ValidationError("Name the file to make.") }
        guard KeyIdentity(self.role.role, self.number ?? (self.role == .member ? 0 : 1)) != nil else {
            throw ValidationError(
                self.role == .member
                    ? "The mesh key has no number; --number goes with --role driver or observer."
                    : "--number takes a number from 1 to 1023.")
        }
        if self.role == .member, self.from != nil {
            throw ValidationError("A new mesh key comes from nothing; --from goes with --role driver or observer.")
        }
    }

    func run() async throws {
        if self.ifMissing, self.file != "-", access(self.file, F_OK) == 0 { return try self.takeWhatIsThere() }
        let key = try self.makeKey()
        guard self.file != "-" else {
            guard isatty(1) == 0 else {
                throw UsageError("A key is not shown on a terminal. Name a file, or send the output somewhere safe.")
            }
            return try KeyFile.write(key, to: 1)
        }
        guard try self.write(key) else { return try self.takeWhatIsThere() }
        say("made \(self.file): the key of \(key.identity == .member ? "a new mesh" : "\(key.identity)")", to: 1)
    }

    /// Returns false when somebody else was faster, and that is well.
    private func write(_ key: MeshKey) throws -> Bool {
        do throws(MeshError) {
            try KeyFile.write(key, to: self.file)
            return true
        } catch {
            guard self.ifMissing, error.code == .invalidArgument else { throw error }
            return false
        }
    }

    /// What is there must be of use, and give no other rights.
    private func takeWhatIsThere() throws {
        let key = try KeyFile.read(self.file)
        guard key.identity.role == self.role.role, self.number.map({ Int(key.identity.number) == $0 }) ?? true else {
            throw MeshError(
                .invalidArgument, "\(self.file) is there already, and is another key: that of \(key.identity).")
        }
        say("\(self.file) is there already: the key of \(key.identity)", to: 1)
    }

    private func makeKey() throws -> MeshKey {
        guard self.role != .member else { return try MeshKey.make() }
        guard let source = MeshConfiguration(keyFile: self.from).effectiveKeyFile else {
            throw UsageError("From which mesh key? Name its file in --from, or in MESH_KEY_FILE.")
        }
        guard let identity = KeyIdentity(self.role.role, self.number ?? 1) else {
            throw UsageError("--number takes a number from 1 to 1023.")
        }
        return try KeyFile.read(source).key(of: identity)
    }
}

/// A role as it is written on the command line.
enum RoleName: String, CaseIterable, ExpressibleByArgument {
    case member
    case driver
    case observer

    var role: MeshRole {
        switch self {
        case .member: .member
        case .driver: .driver
        case .observer: .observer
        }
    }
}
