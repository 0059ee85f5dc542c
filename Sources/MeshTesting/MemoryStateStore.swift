public import FoundationEssentials
public import MeshRuntime
import Synchronization

/// Keeps states in memory, for tests of persistent actors, and fails when it is told to.
public final class MemoryStateStore: StateStore {
    /// What happens to a save.
    public enum Fault: Sendable, Hashable {
        /// It fails, and what was stored before is there.
        case before
        /// It fails, and what was to be stored is there.
        case after
        /// It fails, and from then on nothing can be read either.
        case forGood
    }

    private struct State {
        var claims: [StateKey: UInt64] = [:]
        var data: [StateKey: Data] = [:]
        var faults: [Fault] = []
        var isBroken = false
        var saves = 0
    }

    private let state = Mutex(State())
    private let news = Checkpoints()

    /// Nothing is stored.
    public init() {}

    /// How many saves went well.
    public var saves: Int { self.state.withLock { $0.saves } }

    /// Suspends until so many saves have gone well in all.
    public func wait(forSaves count: Int) async throws { try await self.news.wait(for: "save", count: count) }

    /// Lets the next saves fail, one for each fault.
    public func fail(_ faults: Fault...) { self.state.withLock { $0.faults += faults } }

    /// Makes everything work again.
    public func repair() { self.state.withLock { ($0.isBroken, $0.faults) = (false, []) } }

    /// Takes a state over.
    public func claim(_ key: StateKey) throws -> StateClaim {
        try self.state.withLock { state in
            try Self.check(state)
            state.claims[key, default: 0] += 1
            return StateClaim(key: key, number: state.claims[key, default: 0])
        }
    }

    /// What is stored.
    public func load(_ claim: StateClaim) throws -> Data? {
        try self.state.withLock { state in
            try Self.check(state)
            try Self.check(claim, state)
            return state.data[claim.key]
        }
    }

    /// Stores bytes, or fails.
    public func save(_ data: Data, _ claim: StateClaim) throws {
        try self.state.withLock { state in
            try Self.check(state)
            try Self.check(claim, state)
            switch state.faults.isEmpty ? nil : state.faults.removeFirst() {
            case nil:
                state.saves += 1
                state.data[claim.key] = data
            case .before: throw StateStoreError(.failed, "no space left, says the test")
            case .after:
                state.data[claim.key] = data
                throw StateStoreError(.failed, "the disk did not answer, says the test")
            case .forGood:
                state.isBroken = true
                throw StateStoreError(.failed, "the disk is gone, says the test")
            }
        }
        self.news.reach("save")
    }

    /// Removes what is stored.
    public func remove(_ key: StateKey) throws {
        self.state.withLock { state in
            state.claims[key, default: 0] += 1
            state.data[key] = nil
        }
    }

    private static func check(_ state: State) throws {
        if state.isBroken { throw StateStoreError(.failed, "the disk is gone, says the test") }
    }

    private static func check(_ claim: StateClaim, _ state: State) throws {
        guard state.claims[claim.key] == claim.number else {
            throw StateStoreError(.takenOver, "another actor has taken it over")
        }
    }
}
