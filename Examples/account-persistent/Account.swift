import ActorMesh
import FoundationEssentials

/// Why an account refused.
enum AccountError: Error, Codable {
    case startsBelowMinimum, negativeAmount, overdraft
}

/// What an account does not forget.
struct AccountState: Codable, Sendable {
    var balance: Double
    var minimalBalance: Double

    init(balance: Double, minimalBalance: Double) throws {
        guard balance >= minimalBalance else { throw AccountError.startsBelowMinimum }
        self.balance = balance
        self.minimalBalance = minimalBalance
    }

    mutating func deposit(_ amount: Double) throws -> Double {
        guard amount >= 0 else { throw AccountError.negativeAmount }
        self.balance += amount
        return self.balance
    }

    mutating func withdraw(_ amount: Double) throws -> Double {
        guard amount >= 0 else { throw AccountError.negativeAmount }
        guard self.balance - amount >= self.minimalBalance else { throw AccountError.overdraft }
        self.balance -= amount
        return self.balance
    }
}

/// An account that stores and restores itself.
distributed actor Account: RemoteActor {
    struct Arguments: Codable, Sendable {
        var balance: Double
        var minimalBalance: Double
        var key: String
        var persistence: FilePersistencePool
    }

    private var state: AccountState
    private let key: String
    private var persistence: FilePersistencePool

    init(_ arguments: Arguments, actorSystem: Mesh) async throws {
        self.actorSystem = actorSystem
        self.key = arguments.key
        self.persistence = arguments.persistence
        if let stored = try await self.persistence.next().load(arguments.key) {
            self.state = try JSONDecoder().decode(AccountState.self, from: stored)
        } else {
            self.state = try AccountState(balance: arguments.balance, minimalBalance: arguments.minimalBalance)
            try await self.store(self.state)
        }
    }

    distributed func balance() -> Double { self.state.balance }

    distributed func deposit(_ amount: Double) async throws -> Double {
        var state = self.state
        let balance = try state.deposit(amount)
        try await self.store(state)
        return balance
    }

    distributed func withdraw(_ amount: Double) async throws -> Double {
        var state = self.state
        let balance = try state.withdraw(amount)
        try await self.store(state)
        return balance
    }

    /// Stores a state and makes it the present one, or neither.
    private func store(_ state: AccountState) async throws {
        try await self.persistence.next().store(try JSONEncoder().encode(state), self.key)
        self.state = state
    }
}
