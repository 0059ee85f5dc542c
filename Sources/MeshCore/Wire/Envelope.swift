/// One message between two processes. Several travel in one ZeroMQ message when calls come quickly.
///
/// Every envelope is a MessagePack array whose first element is the number of its kind; see *The wire protocol* in the
/// documentation for the fields of each.
package enum Envelope {
    case call(CallEnvelope)
    case reply(ReplyEnvelope)
    case failure(FailureEnvelope)
    case cancel(callID: UInt64, actor: UniqueID)
    case credit(CreditEnvelope)
    case hello(PeerAddress, PeerFeatures)
    case probe(lastSequence: UInt64)
    case resend
    case mismatch(PeerID)
    case greet(UInt64)
    case greeted(UInt64)
    case goodbye(reason: String)
    case ended(EndedEnvelope)
    /// The receiving process's messages of these numbers brought handles whose actors this process holds now.
    case held([UInt64])
    case slot(SlotNote)

    /// How many messages one `held` may name.
    package static let mostHeld = (1 << 12) - 1

    package enum Kind {
        package static let call: UInt64 = 0
        package static let tell: UInt64 = 1
        package static let reply: UInt64 = 2
        package static let failure: UInt64 = 3
        package static let cancel: UInt64 = 4
        package static let credit: UInt64 = 5
        package static let hello: UInt64 = 6
        package static let probe: UInt64 = 7
        package static let goodbye: UInt64 = 8
        package static let resend: UInt64 = 9
        package static let mismatch: UInt64 = 10
        package static let greet: UInt64 = 11
        package static let greeted: UInt64 = 12
        package static let ended: UInt64 = 13
        package static let held: UInt64 = 14
        package static let slotOffer: UInt64 = 15
        package static let slotMapped: UInt64 = 16
        package static let slotLent: UInt64 = 17
        package static let slotGivenUp: UInt64 = 18
    }
}

/// A method's name as it travels: in full the first time, as its number in the link from then on.
package enum WireTarget: Hashable, Sendable {
    case name(String)
    case number(UInt64)
}

/// A call, or a one-way message when `isOneWay`.
///
/// MessagePack: `[0 or 1, call ID, sequence, actor, incarnation, target, deadline, flags, context, attachments,
/// arguments]`; bit 0 of the flags asks for credit.
package struct CallEnvelope {
    package var isOneWay: Bool
    /// Names the call among those of the calling process; comes back with the result.
    package var callID: UInt64
    /// Counts the calls of the calling process to this actor.
    package var sequence: UInt64
    package var actor: UniqueID
    package var incarnation: UInt64
    package var target: WireTarget
    /// Microseconds that are left; 0 when there is no deadline.
    package var microsecondsLeft: UInt64
    package var wantsCredit: Bool
    package var context: CallContextFields?
    /// How many of the message's further frames belong to it.
    package var attachments: Int
    /// Where in the frame the arguments stand; not used when a call is written.
    package var arguments: Range<Int>

    package init(
        isOneWay: Bool, callID: UInt64, sequence: UInt64, actor: UniqueID, incarnation: UInt64, target: WireTarget,
        microsecondsLeft: UInt64, wantsCredit: Bool, context: CallContextFields?, attachments: Int,
        arguments: Range<Int> = 0..<0
    ) {
        self.isOneWay = isOneWay
        self.callID = callID
        self.sequence = sequence
        self.actor = actor
        self.incarnation = incarnation
        self.target = target
        self.microsecondsLeft = microsecondsLeft
        self.wantsCredit = wantsCredit
        self.context = context
        self.attachments = attachments
        self.arguments = arguments
    }
}

/// What travels with a call besides its arguments, when there is any.
///
/// MessagePack: `[chain, generics, trace, handles, answered]`: an array of actor IDs and names, an array of type names,
/// an array of pairs of strings, the handles in the arguments or nil, and a number or nil.
package struct CallContextFields: Hashable, Sendable {
    /// The actors that wait for this call, the first caller first.
    package var chain: [ChainLink]
    /// The types that stand for the type parameters of a generic method.
    package var genericSubstitutions: [String]
    /// Trace context, as its propagator writes it.
    package var trace: [String: String]
    /// The counted handles among the arguments.
    package var handles: HandlesInTransit?
    /// Set when the call may be sent again: the caller has the outcome of all its calls to this actor with a lower
    /// sequence number, so that their results need not be remembered any more.
    package var answeredBelow: UInt64?

    package init(
        chain: [ChainLink] = [], genericSubstitutions: [String] = [], trace: [String: String] = [:],
        handles: HandlesInTransit? = nil, answeredBelow: UInt64? = nil
    ) {
        self.chain = chain
        self.genericSubstitutions = genericSubstitutions
        self.trace = trace
        self.handles = handles
        self.answeredBelow = answeredBelow
    }

    /// How many calls may wait for each other.
    package static let longestChain = 256

    package var isEmpty: Bool {
        self.chain.isEmpty && self.genericSubstitutions.isEmpty && self.trace.isEmpty && self.handles == nil
            && self.answeredBelow == nil
    }
}

/// The counted handles in a message. The sender holds on to the actors until the receiver says that it does.
///
/// MessagePack: `[number, actor, actor, …]`. In an answer of the broker the number 0 says that the broker has counted
/// the receiver for them by itself.
package struct HandlesInTransit: Hashable, Sendable {
    /// Names the message among those of its sender that carry handles.
    package var number: UInt64
    package var actors: [UniqueID]

    package init(number: UInt64, actors: [UniqueID]) {
        self.number = number
        self.actors = actors
    }

    /// The number of those for which the broker has counted the receiver.
    package static let grantedNumber: UInt64 = 0

    package var isGranted: Bool { self.number == Self.grantedNumber }

    /// How many actors' handles one message may carry.
    package static let most = 1 << 15
}

/// One actor of a chain of calls that wait for each other.
package struct ChainLink: Hashable, Sendable {
    package var actor: UniqueID
    /// What it runs, for people: `Account.deposit(_:)`.
    package var method: String

    package init(actor: UniqueID, method: String) {
        self.actor = actor
        self.method = method
    }
}

/// The result of a call. MessagePack: `[2, call ID, attachments, result]`, and the handles in the result as a fifth
/// element if there are any.
package struct ReplyEnvelope {
    package var callID: UInt64
    package var attachments: Int
    package var result: Range<Int>
    package var handles: HandlesInTransit?
}

/// The failure of a call. MessagePack: `[3, call ID, type, attachments, error]`: the name of the error's type when it
/// was thrown by the method, nil when the error is the mesh's own; then the encoded error. A sixth element, if there is
/// one, says that the life of the actor is over.
package struct FailureEnvelope {
    package var callID: UInt64
    package var typeName: String?
    package var attachments: Int
    package var error: Range<Int>
    package var refusal: CallRefusal?
}

/// Says of a call that it fails because the life of the actor that it was meant for is over, or not in the process that
/// it reached. MessagePack: `[actor, incarnation, sequence, flags]`, the first three as in the call; bit 0 of the flags
/// says that the call may have run, else it has not and will not.
package struct CallRefusal: Hashable, Sendable {
    package var actor: UniqueID
    package var incarnation: UInt64
    package var sequence: UInt64
    /// Whether it was running when the life ended.
    package var mayHaveRun: Bool

    package init(actor: UniqueID, incarnation: UInt64, sequence: UInt64, mayHaveRun: Bool = false) {
        self.actor = actor
        self.incarnation = incarnation
        self.sequence = sequence
        self.mayHaveRun = mayHaveRun
    }
}

/// Says how many more one-way messages of the receiving process have run. MessagePack: `[5, actor, incarnation, count]`.
package struct CreditEnvelope: Hashable, Sendable {
    package var actor: UniqueID
    package var incarnation: UInt64
    /// How many have run since the last credit.
    package var completed: UInt64

    package init(actor: UniqueID, incarnation: UInt64, completed: UInt64) {
        self.actor = actor
        self.incarnation = incarnation
        self.completed = completed
    }
}

/// Answers a one-way message to an actor that has ended. MessagePack: `[13, actor, incarnation, reason]`.
package struct EndedEnvelope: Hashable, Sendable {
    package var actor: UniqueID
    package var incarnation: UInt64
    package var reason: String

    package init(actor: UniqueID, incarnation: UInt64, reason: String) {
        self.actor = actor
        self.incarnation = incarnation
        self.reason = reason
    }
}
