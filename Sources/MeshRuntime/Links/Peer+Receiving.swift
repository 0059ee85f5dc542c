import CMeshPlatform
import FoundationEssentials
import MeshCore
import Synchronization

/// What comes from the peer.
extension Peer {
    /// What to do with a message.
    enum Acceptance {
        /// Read its envelopes.
        case read
        /// The same; it is the first of a new link, and the peer has given up the calls that came by an older one.
        case readAnew
        /// Drop it.
        case drop
        /// The peer has forgotten this link: end it and begin another, to which this message belongs.
        case forgotten
    }

    /// Judges a message by its header, and does what the link needs.
    func accept(_ header: BatchHeader, byteCount: Int, now: UInt64) -> Acceptance {
        var due: [@Sendable () -> Void] = []
        defer { for action in due { action() } }
        return self.state.withLock { state in
            guard state.failure == nil else { return .drop }
            state.silence.heard(at: now)
            let wasKnown = state.links.theirs != 0
            let verdict = state.links.judge(
                epoch: header.epoch, acknowledgedEpoch: header.acknowledgedEpoch, acknowledged: header.acknowledged)
            switch verdict {
            case .current: break
            case .begun:
                state.receiver = LinkReceiver(epoch: header.epoch)
                self.borrowed.forgetAll()
                state.inboundTargets = []
            case .stale: return .drop
            case .givenUp:
                self.tellGivenUp(&state, now: now)
                return .drop
            case .forgotten: return .forgotten
            }
            if state.sender.acknowledge(epoch: header.acknowledgedEpoch, upTo: header.acknowledged) {
                if !state.awaited.isEmpty { due = Self.takeAcknowledged(&state) }
                if state.sender.unacknowledged.isEmpty, state.frame != nil { self.flush(&state) }
            }
            let read: Acceptance = verdict == .begun && wasKnown ? .readAnew : .read
            guard header.sequence > 0 else { return read }
            return self.isNext(header, &state, byteCount: byteCount, now: now) ? read : .drop
        }
    }

    /// Calls `action` when everything that was posted so far has arrived, or the peer is gone. Returns false, and does
    /// not call it, when that is so already.
    func whenAcknowledged(_ action: @escaping @Sendable () -> Void) -> Bool {
        self.state.withLock { state in
            guard state.failure == nil else { return false }
            guard !state.sender.unacknowledged.isEmpty || state.frame != nil else { return false }
            // What is gathered leaves with the next message.
            let last = state.sender.lastSequence + (state.frame == nil ? 0 : 1)
            state.awaited.append((last, action))
            return true
        }
    }

    private static func takeAcknowledged(_ state: inout State) -> [@Sendable () -> Void] {
        let acknowledged = state.sender.unacknowledged.first.map { $0.sequence - 1 } ?? state.sender.lastSequence
        let count = state.awaited.prefix { $0.sequence <= acknowledged }.count
        defer { state.awaited.removeFirst(count) }
        return state.awaited.prefix(count).map(\.action)
    }

    private func isNext(_ header: BatchHeader, _ state: inout State, byteCount: Int, now: UInt64) -> Bool {
        switch state.receiver.receive(epoch: header.epoch, sequence: header.sequence, byteCount: byteCount) {
        case .deliver:
            if state.receiver.owesAcknowledgementNow, state.frame == nil { self.sendAside(&state) { _ in } }
            return true
        case .duplicate:
            self.sendAside(&state) { _ in }
        case .gap:
            if state.receiver.shouldAskAgain(at: now, interval: Self.acknowledgementTimeout) {
                self.sendAside(&state) { $0.writeResend() }
            }
        case .stale:
            break
        }
        return false
    }

    /// The peer goes on with a link that this process has given up. Any message tells it so.
    private func tellGivenUp(_ state: inout State, now: UInt64) {
        guard now >= state.lastTold + Self.tellInterval else { return }
        state.lastTold = now
        self.sendAside(&state) { $0.writeHello(self.own, self.features) }
    }

    /// Sends everything that is not acknowledged once more.
    func resend() { self.state.withLock { self.sendAgain(&$0, from: 0) } }

    /// Answers a probe: says hello, acknowledges, and asks for what is missing.
    func answerProbe(lastSequence: UInt64) {
        self.state.withLock { state in
            let missing = state.receiver.lastInOrder < lastSequence
            self.sendAside(&state) { buffer in
                buffer.writeHello(self.own, self.features)
                if missing { buffer.writeResend() }
            }
        }
    }

    /// The method that a call names; numbers count the names of the link from zero.
    func target(_ target: WireTarget, in table: CallTargets) throws(WireError) -> CallTarget {
        try self.state.withLock { state throws(WireError) in
            switch target {
            case .name(let name):
                let target = table.target(named: name)
                guard state.inboundTargets.count < 1 << 16 else { throw WireError("too many method names") }
                state.inboundTargets.append(target)
                return target
            case .number(let number):
                guard number < UInt64(state.inboundTargets.count) else {
                    throw WireError("method number \(number) has not been named")
                }
                return state.inboundTargets[Int(number)]
            }
        }
    }

    /// Says who this process is.
    func answerGreeting(_ number: UInt64) {
        self.state.withLock { state in
            self.sendAside(&state) { buffer in
                buffer.writeHello(self.own, self.features)
                buffer.writeGreeted(number)
            }
        }
    }

    /// Answers a message that was meant for another process.
    func sayMismatch(expected: PeerID) {
        self.state.withLock { state in
            self.sendAside(&state) { buffer in
                buffer.writeHello(self.own, self.features)
                buffer.writeMismatch(expected: expected)
            }
        }
    }

    // MARK: Large values

    /// What the peer says that it can do.
    func note(_ features: PeerFeatures) {
        if features.contains(.sharedMemory), self.sharesMemory { self.lent.allow() }
    }

    private var sharesMemory: Bool { self.features.contains(.sharedMemory) && self.address.host == self.own.host }

    /// Maps memory that the peer offers, and answers whether it could.
    ///
    /// - Throws: `WireError` when it is none; what comes in the same message may be well all the same.
    func map(_ number: UInt64, descriptor: Int32, capacity: Int) throws(WireError) {
        var isMapped = false
        defer { try? self.post(.endOfTurn) { $0.writeSlot(.mapped(number, isMapped)) } }
        guard self.sharesMemory else { return }
        isMapped = try self.borrowed.map(
            number, capacity: capacity, of: self.address, descriptor: descriptor, for: self.own.peer)
    }

    /// Does what else the peer says of memory that both share.
    ///
    /// - Returns: a value of the next envelope, and its place among the large ones.
    func heed(_ note: SlotNote) throws(WireError) -> (data: Data, index: Int)? {
        switch note {
        case .offer: break
        case .mapped(let number, let isMapped):
            self.lent.answered(number, isMapped: isMapped)
        case .lent(let number, let count, let index):
            return (try self.borrowed.value(in: number, count: count), index)
        case .givenUp(let number):
            self.borrowed.forget(number)
        }
        return nil
    }
}
