import MeshCore

/// A call that has arrived and waits for its turn.
struct InboundCall: Sendable {
    /// Who called: another process, or nil for this one.
    var origin: Peer?
    var callID: UInt64
    var sequence: UInt64
    var isOneWay: Bool
    var wantsCredit: Bool
    /// In nanoseconds of this process's clock; 0 for none.
    var deadline: UInt64
    var context: CallContextFields?
    var target: CallTarget
    var payload: Payload

    var key: CallKey { CallKey(origin: self.origin?.id, callID: self.callID) }
}

/// Names a call among those of all callers.
struct CallKey: Hashable, Sendable {
    var origin: PeerID?
    var callID: UInt64
}
