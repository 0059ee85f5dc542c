import Synchronization

/// Takes in the answer of a call that runs, instead of its caller, who gets it later.
final class AnswerSlot: Sendable {
    private let answer = Mutex<CallAnswer?>(nil)

    /// Takes in the answer, the first time.
    func fill(_ answer: CallAnswer) {
        self.answer.withLock { if $0 == nil { $0 = answer } }
    }

    /// The answer; nil for a one-way message.
    func take() -> CallAnswer? { self.answer.withLock { $0.take() } }
}
