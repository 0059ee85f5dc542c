import Distributed
import MeshCore
import Synchronization

/// A pool in the process that made it: its members, for everybody who has the pool.
final class PoolCore<Act: RemoteActor>: Sendable {
    typealias Ledger = PoolLedger<UniqueID, PeerID>
    typealias Answer = @Sendable (Result<Act, MeshError>) -> Void

    private struct State {
        var ledger = Ledger()
        var actors: [UniqueID: Act] = [:]
        var answers: [Ledger.Ticket: Answer] = [:]
        /// How many members are being made in the place of dead ones.
        var replacements = 0
    }

    let id = UniqueID.make()
    private let state = Mutex(State())
    /// Makes a member in the place of one that died.
    private let replace: (@Sendable () async throws -> Act)?

    init(_ actors: [Act], replace: (@Sendable () async throws -> Act)?) {
        self.replace = replace
        self.state.withLock { state in
            for actor in actors { _ = Self.add(actor, &state) }
        }
    }

    private static func add(_ actor: Act, _ state: inout State) -> Bool {
        let id = actor.id.uniqueID
        guard state.ledger.add(id) else { return false }
        state.actors[id] = actor
        return true
    }

    var count: Int { self.state.withLock { $0.ledger.count } }
    var hasFree: Bool { self.state.withLock { $0.ledger.hasFree } }
    var isManned: Bool { self.state.withLock { $0.ledger.count + $0.replacements > 0 } }

    /// Adds a member. Returns false when it is one.
    func push(_ actor: Act) -> Bool {
        let isNew = self.state.withLock { Self.add(actor, &$0) }
        self.serve()
        return isNew
    }

    func popIdle() -> Act? {
        self.state.withLock { state in state.ledger.popIdle().flatMap { state.actors.removeValue(forKey: $0) } }
    }

    func remove(_ actor: Act) -> Bool {
        let id = actor.id.uniqueID
        return self.state.withLock { state in
            guard state.ledger.remove(id) else { return false }
            if state.ledger.busy[id] == nil { state.actors[id] = nil }
            return true
        }
    }

    /// Asks for a member, in the order of the calls.
    func ask(_ ticket: Ledger.Ticket, _ answer: @escaping Answer) {
        self.state.withLock { state in
            state.ledger.ask(ticket)
            state.answers[ticket] = answer
        }
        self.serve()
    }

    /// It is not wanted any more.
    func withdraw(_ ticket: Ledger.Ticket) {
        let answer = self.state.withLock { state in
            state.ledger.withdraw(ticket) ? state.answers.removeValue(forKey: ticket) : nil
        }
        answer?(.failure(MeshError(.cancelled, "The work was cancelled before a member of the pool was free.")))
    }

    /// A member is not wanted any more, whether it was given or not.
    func abandon(_ ticket: Ledger.Ticket) {
        self.withdraw(ticket)
        guard let member = self.state.withLock({ $0.ledger.busy.first { $0.value == ticket }?.key }) else { return }
        self.done(member, by: ticket, isDead: false)
    }

    /// A member is free again, or dead.
    func done(_ member: UniqueID, by ticket: Ledger.Ticket, isDead: Bool) {
        let (wantsOther, isEmpty) = self.state.withLock { state -> (Bool, Bool) in
            // Nobody takes the place of one that was to leave.
            let wasMember = !state.ledger.isLeaving(member)
            guard state.ledger.done(member, by: ticket, isDead: isDead) else { return (false, false) }
            if !state.ledger.idle.contains(member) { state.actors[member] = nil }
            guard isDead else { return (false, false) }
            let isReplaced = self.replace != nil && wasMember
            if isReplaced { state.replacements += 1 }
            return (isReplaced, state.ledger.count == 0 && state.replacements == 0)
        }
        if wantsOther { self.beginReplacement() }
        if isEmpty { self.failAll(Self.allDied) }
        self.serve()
    }

    func forget(_ holder: PeerID) {
        let answers = self.state.withLock { state in
            state.ledger.forget(holder)
            let tickets = state.answers.keys.filter { $0.holder == holder }
            return tickets.compactMap { state.answers.removeValue(forKey: $0) }
        }
        for answer in answers { answer(.failure(MeshError(.cancelled, "Whoever asked for a member is gone."))) }
        self.serve()
    }

    private func serve() {
        while true {
            let (ended, isEmpty) = self.state.withLock { self.dismissEnded(&$0) }
            for _ in 0..<ended where self.replace != nil { self.beginReplacement() }
            if isEmpty { self.failAll(Self.allDied) }
            let next = self.state.withLock { state -> (Answer, Act)? in
                while let next = state.ledger.next() {
                    if let actor = state.actors[next.member],
                        let answer = state.answers.removeValue(forKey: next.ticket)
                    {
                        return (answer, actor)
                    }
                    state.ledger.done(next.member, by: next.ticket, isDead: false)
                }
                return nil
            }
            guard let (answer, actor) = next else { return }
            answer(.success(actor))
        }
    }

    /// Lets the members go that have ended while they had nothing to do, and that somebody would be given now.
    ///
    /// - Returns: how many, and whether nobody is left for those who wait.
    private func dismissEnded(_ state: inout State) -> (count: Int, isEmpty: Bool) {
        var count = 0
        while !state.ledger.waiting.isEmpty, let last = state.ledger.idle.last, state.actors[last]?.hasEnded ?? true {
            _ = state.ledger.popIdle()
            state.actors[last] = nil
            count += 1
        }
        if self.replace != nil { state.replacements += count }
        return (count, count > 0 && state.ledger.count == 0 && state.replacements == 0)
    }

    private static var allDied: MeshError {
        MeshError(.actorDied, "Every member of the pool has died, and it has nobody to replace them.")
    }

    private func failAll(_ error: MeshError) {
        let answers = self.state.withLock { state in
            state.ledger.takeWaiting().compactMap { state.answers.removeValue(forKey: $0) }
        }
        for answer in answers { answer(.failure(error)) }
    }

    private func beginReplacement() {
        guard let replace else { return }
        Task {
            do {
                let actor = try await replace()
                self.state.withLock { state in
                    state.replacements -= 1
                    _ = Self.add(actor, &state)
                }
                self.serve()
            } catch {
                let isEmpty = self.state.withLock { state in
                    state.replacements -= 1
                    return state.ledger.count == 0 && state.replacements == 0
                }
                guard isEmpty else { return }
                self.failAll(
                    MeshError(
                        .actorDied, "The members of the pool have died, and a new one cannot be made.", cause: error))
            }
        }
    }
}
