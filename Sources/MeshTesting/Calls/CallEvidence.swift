/// What callers and actors have noted of calls: all that ``violations()`` is judged from.
public struct CallEvidence: Sendable, Hashable {
    /// One note, as it is written down.
    public enum Note: Sendable, Hashable, Codable {
        /// A caller is about to start a call.
        case started(CallRecord)
        /// A caller knows how a call ended.
        case ended(CallEnd)
        /// An actor runs a call.
        case ran(CallRun)
    }

    /// Every call by its number.
    public private(set) var calls: [Int: CallRecord] = [:]
    /// How it ended.
    public private(set) var ends: [Int: CallEnd] = [:]
    /// What each actor ran, in all its lives, in the order in which it happened.
    public private(set) var runs: [String: [CallRun]] = [:]
    /// Calls that were noted as ended more than once.
    public private(set) var endedTwice: [Int] = []

    /// Nothing has happened.
    public init() {}

    /// Takes a note. Those of one caller, and those of one actor, have to come in order.
    public mutating func add(_ note: Note) {
        switch note {
        case .started(let call): self.calls[call.number] = call
        case .ended(let end):
            if self.ends.updateValue(end, forKey: end.number) != nil { self.endedTwice.append(end.number) }
        case .ran(let run): self.runs[run.actor, default: []].append(run)
        }
    }
}

/// Something that must not happen.
public struct CallViolation: Sendable, Hashable, CustomStringConvertible {
    /// The questions that are asked one by one.
    public enum Kind: String, Sendable, Hashable {
        /// Something ran, or was seen, before what came earlier.
        case order
        /// Something ran more often than it may.
        case duplicate
        /// Something that was acknowledged is not there, or a call has no end.
        case loss
        /// Two lives of an actor mix.
        case lifetime
    }

    /// Which of them.
    public var kind: Kind
    /// The actor.
    public var actor: String
    /// The call.
    public var call: Int
    /// What happened.
    public var message: String

    /// `order: call 7 to counter: …`
    public var description: String { "\(self.kind): call \(self.call) to \(self.actor): \(self.message)" }
}
