public import FoundationEssentials
public import MeshCore

/// Where a broker writes down what it knows, so that the next one can go on from there.
///
/// What is in the records is the broker's; a store only keeps bytes. It keeps these promises, whatever process is killed
/// in between:
///
/// - Changes that are written together are there together or not at all.
/// - Changes whose write has returned are there for good. After an error none of them is.
/// - One broker at a time has it.
public protocol RegistryStore: Sendable {
    /// Takes the store, until this process ends. Called once, before anything is written.
    ///
    /// - Throws: what is the matter and with which store, in words: another broker has it, it is damaged, or it is of
    ///   another version.
    func open() async throws -> StoredRegistry

    /// Writes changes. Called again only when the call before has returned.
    ///
    /// - Throws: why it could not, in words for the callers of the broker.
    func write(_ changes: RegistryChanges) async throws
}

/// What a broker wrote down.
public struct StoredRegistry: Sendable {
    /// The actors that live.
    public var actors: [UniqueID: Data]
    /// How actors ended, the oldest first.
    public var terminations: [Data]

    /// What a store found.
    public init(actors: [UniqueID: Data] = [:], terminations: [Data] = []) {
        self.actors = actors
        self.terminations = terminations
    }
}

/// What has changed since the last write.
public struct RegistryChanges: Sendable {
    /// The actors that are new or have changed, in place of what was written of them.
    public var actors: [UniqueID: Data] = [:]
    /// The actors that are no more. Some may never have been written.
    public var removed: [UniqueID] = []
    /// How actors ended, the oldest first.
    public var terminations: [Data] = []
    /// How many terminations to keep; the oldest go first.
    public var keptTerminations: Int

    /// No changes.
    public init(keptTerminations: Int) { self.keptTerminations = keptTerminations }
}
