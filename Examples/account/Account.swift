import ActorMesh

/// Why an account refused. It is `Codable`, so callers in other processes catch it as itself.
enum AccountError: Error, Codable, Equatable {
    case startsBelowMinimum(balance: Double, minimum: Double)
    case negativeAmount(Double)
    case overdraft(balance: Double, amount: Double)
}

distributed actor Account: RemoteActor {
    struct Arguments: Codable, Sendable {
        var balance: Double
        var minimalBalance: Double
    }

    private var funds: Double
    private let minimum: Double

    /// What this throws reaches the one who spawns the account.
    init(_ arguments: Arguments, actorSystem: Mesh) throws {
        self.actorSystem = actorSystem
        guard arguments.balance >= arguments.minimalBalance else {
            throw AccountError.startsBelowMinimum(balance: arguments.balance, minimum: arguments.minimalBalance)
        }
        self.funds = arguments.balance
        self.minimum = arguments.minimalBalance
    }

    distributed func balance() -> Double { self.funds }

    distributed func deposit(_ amount: Double) throws -> Double {
        guard amount >= 0 else { throw AccountError.negativeAmount(amount) }
        self.funds += amount
        return self.funds
    }

    distributed func withdraw(_ amount: Double) throws -> Double {
        guard amount >= 0 else { throw AccountError.negativeAmount(amount) }
        guard self.funds - amount >= self.minimum else {
            throw AccountError.overdraft(balance: self.funds, amount: amount)
        }
        self.funds -= amount
        return self.funds
    }
}
