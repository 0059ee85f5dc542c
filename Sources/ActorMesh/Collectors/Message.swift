public import FoundationEssentials

/// A message that a ``MessageActor`` has collected.
public struct Message: Codable, Hashable, Sendable {
    /// What was said.
    public var text: String
    /// Who said it: the actor or process that sent it.
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
