import MeshCore

/// A call that has arrived and waits for its turn. Nothing in it changes.
final class InboundCall: Sendable {
    /// Who called: another process, or nil for this one.
    let origin: Peer?
    /// The epoch of the link by which it came.
    let link: UInt64
    let callID: UInt64
    let sequence: UInt64
    let isOneWay: Bool
    let wantsCredit: Bool
    /// In nanoseconds of this process's clock; 0 for none.
    let deadline: UInt64
    let context: CallContextFields?
    let target: CallTarget
    let payload: Payload
    /// Where its answer goes when its caller is to have it later; nil: it goes to its caller at once.
    let slot: AnswerSlot?

    init(
        origin: Peer?, link: UInt64 = 0, callID: UInt64, sequence: UInt64, isOneWay: Bool, wantsCredit: Bool,
        deadline: UInt64,
        context: CallContextFields?, target: CallTarget, payload: Payload, slot: AnswerSlot? = nil
    ) {
        self.origin = origin
        self.link = link
        self.callID = callID
        self.sequence = sequence
        self.isOneWay = isOneWay
        self.wantsCredit = wantsCredit
        self.deadline = deadline
        self.context = context
        self.target = target
        self.payload = payload
        self.slot = slot
    }

    /// The same call, with its answer held back.
    func answering(into slot: AnswerSlot) -> InboundCall {
        InboundCall(
            origin: self.origin, link: self.link, callID: self.callID, sequence: self.sequence, isOneWay: self.isOneWay,
            wantsCredit: self.wantsCredit, deadline: self.deadline, context: self.context, target: self.target,
            payload: self.payload, slot: slot)
    }

    /// Set when its caller may send it again: that caller has all answers of calls with lower numbers.
    var answeredBelow: UInt64? { self.isOneWay ? nil : self.context?.answeredBelow }

    /// Whether its caller may send it again.
    var mayComeAgain: Bool { self.answeredBelow != nil }

    var key: CallKey { CallKey(origin: self.origin?.id, callID: self.callID) }
}

/// Names a call among those of all callers.
struct CallKey: Hashable, Sendable {
    var origin: PeerID?
    var callID: UInt64
}
