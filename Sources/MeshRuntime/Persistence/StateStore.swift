public import FoundationEssentials

/// Where the state of persistent actors is kept.
///
/// Every process that may run the actors must reach the same store: files do for the processes of one host.
///
/// A state belongs to whoever claimed its key last. A store must keep these promises, whatever processes are killed or
/// frozen in between, and for as many processes as use it at the same time:
///
/// - A save is there completely or not at all.
/// - A save that returned is there for good, and whoever claims the key later loads it, or a later one.
/// - A save by a claim that is not the last any more throws ``StateStoreError/Code/takenOver``.
public protocol StateStore: Sendable {
    /// Takes a key over from whoever has it.
    func claim(_ key: StateKey) async throws -> StateClaim

    /// What is stored; nil when nothing is.
    ///
    /// - Throws: ``StateStoreError``: `takenOver`, `damaged` when the bytes are not those that were saved, `failed`.
    func load(_ claim: StateClaim) async throws -> Data?

    /// Stores bytes in place of those that are there. After an error other than `takenOver`, those before or these may
    /// be there.
    func save(_ data: Data, _ claim: StateClaim) async throws

    /// Removes what is stored under a key, and its actor's claim to it.
    func remove(_ key: StateKey) async throws
}

/// Names a state in a store.
public struct StateKey: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The type of the actor, as its program names it: `Bank.Account`.
    public var type: String
    /// Which of that type.
    public var key: String

    /// Names the state of an actor of a type.
    public init(type: String, key: String) {
        self.type = type
        self.key = key
    }

    /// `Account "savings"`.
    public var description: String { "\(self.type.split(separator: ".").last ?? "") \"\(self.key)\"" }
}

/// The right to save a state, until the next one claims it.
public struct StateClaim: Hashable, Sendable {
    /// Of which state.
    public var key: StateKey
    /// Larger than those of all claims before it.
    public var number: UInt64

    /// A claim, as a store gives it.
    public init(key: StateKey, number: UInt64) {
        self.key = key
        self.number = number
    }
}

/// Why a store could not do what it was asked.
public struct StateStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case takenOver, damaged, failed
        }

        private var value: Value

        /// Another actor has claimed the state since.
        public static let takenOver = Code(value: .takenOver)
        /// What is stored is not what was saved.
        public static let damaged = Code(value: .damaged)
        /// The system refused: no room, no right, no such folder.
        public static let failed = Code(value: .failed)

        /// Its name.
        public var description: String { self.value.rawValue }
    }

    /// What kind of failure it is.
    public var code: Code
    /// What failed, where, and what one can do.
    public var message: String

    /// Describes a failure.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { self.message }
}
