import ActorMesh

@main
struct AccountExample: MeshProgram {
    static func run(_ mesh: Mesh) async throws {
        let options = ActorOptions(name: "Account", lifetime: .detached)
        let account = try await mesh.spawn(Account.self, .init(balance: 99, minimalBalance: 11), options: options)
        print("Current balance: \(try await account.balance())")
        print("Balance after withdrawal: \(try await account.withdraw(66))")
        print("Balance after deposit: \(try await account.deposit(33))")

        // The account's own error arrives as itself, and the account lives on.
        do {
            _ = try await account.withdraw(60)
        } catch let error as AccountError {
            print("Refused: \(error)")
        }

        // Anybody in the mesh finds it by its name.
        let same = try await mesh.find(Account.self, named: "Account")
        print("Found by name: \(try await same.balance())")

        // A name belongs to one living actor at a time. Killing that one frees it.
        do {
            _ = try await mesh.spawn(Account.self, .init(balance: 50, minimalBalance: 0), options: options)
        } catch let error as MeshError where error.code == .nameTaken {
            print("The name is taken.")
        }
        try await mesh.kill(account)
        do {
            _ = try await mesh.find(Account.self, named: "Account")
        } catch let error as MeshError where error.code == .actorNotFound {
            print("Killed: nobody has the name now.")
        }

        // An account whose initialiser throws never exists, and takes no name.
        do {
            _ = try await mesh.spawn(Account.self, .init(balance: 10, minimalBalance: 11), options: options)
        } catch let error as AccountError {
            print("Refused: \(error)")
        }
        let next = try await mesh.spawn(Account.self, .init(balance: 100, minimalBalance: 20), options: options)
        print("The next one of that name: \(try await next.balance())")
        try await mesh.kill(next)
    }
}
