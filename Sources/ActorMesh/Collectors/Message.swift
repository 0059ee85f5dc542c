public import FoundationEssentials

/// A message that a ``MessageActor`` has collected.
public struct Message: Codable, Hashable, Sendable {
    /// What was said.
    public var text: String
    /// Who said it: `Counter (1fcc75b5) in process 4711` for an actor, `Publish in process 4711` for a task, and
    /// `process 4711` for a program, or when the message came by `submit` or `tell`.
    public var sender: String
    /// Counts the messages of the collecting actor, from 1.
    public var sequence: UInt64
    /// When it arrived.
    public var date: Date

    /// Makes a message.
    public init(text: String, sender: String, sequence: UInt64, date: Date) {
        self.text = text
        self.sender = sender
        self.sequence = sequence
        self.date = date
    }
}
