import FoundationEssentials
import MeshCore

/// What is stored of an actor, in one piece: its state, and the answers of calls that may be sent to it again.
struct StateRecord: Codable, Hashable, Sendable {
    /// The form of the record.
    var version = 1
    /// Whose answers these are. Another actor with the same key has the state of this one, but calls to it are others.
    var actor: UniqueID
    /// The actor's state, encoded. Nobody holds the actors whose handles are in it while it is only stored.
    var state: Data
    var answers: StoredAnswers
}
