import FoundationEssentials
import MeshCore
import MeshMessagePack

/// The answers of calls that may be sent again, as they are stored with the state of an actor. That a call waits or runs
/// is not stored: that ends with its process.
struct StoredAnswers: Codable, Hashable, Sendable {
    /// What is known of one caller.
    struct Caller: Codable, Hashable, Sendable {
        var peer: PeerID
        var floor: UInt64
        /// A ``StoredAnswer`` for each answer, one after the other. All are stored each time, so each is encoded but once.
        var answers: Data
    }

    var callers: [Caller] = []

    init() {}

    /// - Parameter new: an answer, in its stored form, which is not remembered yet.
    init(_ answers: RememberedAnswers, adding new: (caller: PeerID, stored: Data)? = nil) {
        self.callers = answers.callers.map { peer, known in
            var stored = known.stored
            if let new, new.caller == peer { stored.append(new.stored) }
            return Caller(peer: peer, floor: known.floor, answers: stored)
        }
    }

    /// What a life of the actor remembers that begins with them.
    ///
    /// - Throws: `DecodingError` when they are damaged.
    func remembered(
        limits: RememberedAnswers.Limits, now: UInt64, decoder: MessagePackDecoder
    ) throws -> RememberedAnswers {
        let callers = try self.callers.map { caller in
            let answers = try caller.answers.withUnsafeBytes { bytes in
                var answers: [(sequence: UInt64, answer: CallAnswer, stored: Data)] = []
                var offset = 0
                while offset < bytes.count {
                    let start = offset
                    let answer = try decoder.decode(StoredAnswer.self, from: bytes, offset: &offset)
                    let stored = Data(UnsafeRawBufferPointer(rebasing: bytes[start..<offset]))
                    answers.append((answer.sequence, answer.answer, stored))
                }
                return answers
            }
            return (caller.peer, CallerAnswers(floor: caller.floor, answers: answers))
        }
        return RememberedAnswers(callers, limits: limits, now: now)
    }
}

/// One answer, as it is stored. MessagePack: `[sequence, answer]`.
struct StoredAnswer: Codable, Hashable, Sendable {
    var sequence: UInt64
    var answer: CallAnswer

    init(sequence: UInt64, answer: CallAnswer) {
        self.sequence = sequence
        self.answer = answer
    }

    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self.sequence = try container.decode(UInt64.self)
        self.answer = try container.decode(CallAnswer.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.sequence)
        try container.encode(self.answer)
    }
}
