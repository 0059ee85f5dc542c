import ActorMesh
import Glibc

/// The same account, whose state the mesh keeps.
distributed actor KeptAccount: PersistentActor {
    struct Arguments: Codable, Sendable {
        var balance: Double
        var minimalBalance: Double
        var key: String
    }

    var state: AccountState
    let persistenceKey: String

    init(_ arguments: Arguments, actorSystem: Mesh) throws {
        self.actorSystem = actorSystem
        self.persistenceKey = arguments.key
        self.state = try AccountState(balance: arguments.balance, minimalBalance: arguments.minimalBalance)
    }

    distributed func balance() -> Double { self.state.balance }
    distributed func deposit(_ amount: Double) throws -> Double { try self.state.deposit(amount) }
    distributed func withdraw(_ amount: Double) throws -> Double { try self.state.withdraw(amount) }
    distributed func processID() -> Int32 { getpid() }
}
