/// What one sender has had acknowledged by a message actor, checked against what the actor gives out.
public struct MessageEvidence: Sendable, Hashable {
    private var sent: Set<Int> = []
    private var acknowledged: [Int] = []

    /// Nothing was sent.
    public init() {}

    /// A message is on its way.
    public mutating func send(_ number: Int) { self.sent.insert(number) }

    /// The actor has it.
    public mutating func acknowledge(_ number: Int) { self.acknowledged.append(number) }

    /// What is wrong with the sender's messages that one life of the actor has kept: one that was acknowledged is
    /// missing, one is there twice, one came after a later one, or nobody sent it.
    public func violations(in messages: [Int]) -> [String] {
        var seen: Set<Int> = []
        var latest = Int.min
        var violations: [String] = []
        for number in messages {
            if !self.sent.contains(number) { violations.append("loss: nobody sent message \(number)") }
            if !seen.insert(number).inserted {
                violations.append("duplicate: message \(number) is there twice")
            } else if number < latest {
                violations.append("order: message \(number) came after \(latest)")
            }
            latest = max(latest, number)
        }
        return violations
            + self.acknowledged.filter { !seen.contains($0) }.map { "loss: message \($0) was acknowledged" }
    }
}
