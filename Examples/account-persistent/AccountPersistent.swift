import ActorMesh
import FoundationEssentials
import Glibc

@main
struct AccountPersistent: MeshProgram {
    static let directory = "\(FileManager.default.temporaryDirectory.path)/account-persistent-\(getuid())"

    /// Every role of the program reads this, so that its workers keep states in the same place.
    static var configuration: MeshConfiguration {
        MeshConfiguration(stateStore: FileStateStore(directory: Self.directory))
    }

    static func run(_ mesh: Mesh) async throws {
        try? FileManager.default.removeItem(atPath: Self.directory)
        defer { try? FileManager.default.removeItem(atPath: Self.directory) }
        print("With a pool of FilePersistence:")
        try await withPool(mesh)
        print("With PersistentActor:")
        try await withPersistentActor(mesh)
    }

    static func withPool(_ mesh: Mesh) async throws {
        var members: [FilePersistence] = []
        for _ in 0..<3 { members.append(try await mesh.spawn(FilePersistence.self, .init(directory: Self.directory))) }
        let arguments = Account.Arguments(
            balance: 99, minimalBalance: 11, key: "secretaccountkey", persistence: FilePersistencePool(members))
        let options = ActorOptions(name: "Account")

        let account = try await mesh.spawn(Account.self, arguments, options: options)
        print("  Current balance: \(try await account.balance())")
        print("  Balance after withdrawal: \(try await account.withdraw(66))")
        print("  Balance after deposit: \(try await account.deposit(33))")
        print("  Balance after withdrawal: \(try await account.withdraw(33))")
        try await mesh.kill(account)

        let next = try await mesh.spawn(Account.self, arguments, options: options)
        print("  After a kill, balance: \(try await next.balance())")
        print("  The same actor: \(next.id == account.id)")
        try await mesh.kill(next)
    }

    static func withPersistentActor(_ mesh: Mesh) async throws {
        let arguments = KeptAccount.Arguments(balance: 99, minimalBalance: 11, key: "secretaccountkey")

        let account = try await mesh.spawn(KeptAccount.self, arguments)
        print("  Current balance: \(try await account.balance())")
        print("  Balance after withdrawal: \(try await account.withdraw(66))")
        print("  Balance after deposit: \(try await account.deposit(33))")
        print("  Balance after withdrawal: \(try await account.withdraw(33))")
        kill(try await account.processID(), SIGKILL)

        let next = try await mesh.spawn(KeptAccount.self, arguments)
        print("  After kill -9, balance: \(try await next.balance())")
        print("  The same actor: \(next.id == account.id)")
    }
}
