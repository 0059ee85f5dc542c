import CMeshPlatform
import DequeModule
import FoundationEssentials
package import MeshCore
import Synchronization

/// Another process, and the link to it: what is gathered for it, sent, acknowledged, and received from it.
package final class Peer: Sendable {
    package let id: PeerID
    package let address: PeerAddress
    private let own: PeerAddress
    private let outbox: PeerOutbox
    private let channel: any TransportChannel
    private let state: Mutex<State>

    private struct State {
        var links: LinkPair
        var sender: LinkSender
        var receiver = LinkReceiver()
        var frame: Frame?
        var isMarked = false
        var saidHello = false
        /// The first message that the transport has not taken yet.
        var unsent: UInt64?
        var targets: [String: UInt64] = [:]
        var inboundTargets: [CallTarget] = []
        var failure: MeshError?
        var silence: PeerSilence
        /// When the peer was last told that its link has been given up.
        var lastTold: UInt64 = 0
        /// What is to be done once everything up to a number is acknowledged, the lowest first.
        var awaited: [(sequence: UInt64, action: @Sendable () -> Void)] = []
    }

    /// What is gathered for the next message.
    private struct Frame {
        var buffer: WireBuffer
        var attachments: [Data] = []
    }

    /// From so many bytes on, a frame is sent at once.
    private static let frameSize = 8 << 10
    /// How long to wait for an acknowledgement before asking for it, and between two requests for what is missing.
    static let acknowledgementTimeout: UInt64 = 200_000_000
    /// How long to wait before a peer is told again that its link has been given up.
    private static let tellInterval: UInt64 = 20_000_000

    /// - Parameter links: the links between the processes, of which the one to the peer begins now.
    init(address: PeerAddress, own: PeerAddress, links: LinkPair, channel: any TransportChannel, outbox: PeerOutbox) {
        self.id = address.peer
        self.address = address
        self.own = own
        self.outbox = outbox
        self.channel = channel
        self.state = Mutex(
            State(
                links: links, sender: LinkSender(epoch: links.own),
                silence: PeerSilence(now: cmesh_monotonic_nanoseconds())))
    }

    // MARK: Sending

    /// Adds an envelope, and sends it now or at the end of the turn: now when nothing is under way, so that a single
    /// call loses no time; with others when calls come faster than the peer acknowledges them.
    ///
    /// - Throws: what ended the link.
    func post(
        attachments: [Data] = [], _ urgency: Urgency = .whenQuiet, _ write: (WireBuffer) -> Void
    ) throws(MeshError) {
        try self.state.withLock { state throws(MeshError) in
            if let failure = state.failure { throw failure }
            self.add(attachments, to: &state, urgency) { buffer, _ in write(buffer) }
        }
    }

    /// When an envelope leaves, if nothing else makes its message leave earlier.
    enum Urgency {
        /// At once when nothing is under way: a call, behind which its caller may compute for a while.
        case whenQuiet
        /// At the end of the turn: a reply, behind which the turn ends or another call runs.
        case endOfTurn
    }

    /// The same for a call, whose method goes by its number once the peer knows it.
    func post(
        _ call: consuming CallEnvelope, target: String, arguments: UnsafeRawBufferPointer, attachments: [Data]
    ) throws(MeshError) {
        try self.state.withLock { state throws(MeshError) in
            if let failure = state.failure { throw failure }
            self.add(attachments, to: &state, .whenQuiet) { buffer, targets in
                if let number = targets[target] {
                    call.target = .number(number)
                } else {
                    targets[target] = UInt64(targets.count)
                    call.target = .name(target)
                }
                buffer.writeCall(call, arguments: arguments)
            }
        }
    }

    @inline(__always)
    private func add(
        _ attachments: [Data], to state: inout State, _ urgency: Urgency,
        write: (WireBuffer, inout [String: UInt64]) -> Void
    ) {
        var frame = state.frame ?? Frame(buffer: self.makeBuffer(&state))
        state.frame = nil
        write(frame.buffer, &state.targets)
        frame.attachments.append(contentsOf: attachments)
        let isFull = frame.buffer.count >= Self.frameSize || !attachments.isEmpty
        state.frame = frame
        let isQuiet = urgency == .whenQuiet && state.sender.unacknowledged.isEmpty
        if isFull || isQuiet || !self.outbox.gathers {
            self.flush(&state)
        } else if !state.isMarked {
            state.isMarked = true
            self.outbox.mark(self)
        }
    }

    private func makeBuffer(_ state: inout State) -> WireBuffer {
        let buffer = WireBuffer(capacity: 512)
        self.header(&state, sequence: 0).write(to: buffer)
        if !state.saidHello {
            state.saidHello = true
            buffer.writeHello(self.own)
        }
        return buffer
    }

    private func header(_ state: inout State, sequence: UInt64) -> BatchHeader {
        let acknowledgement = state.links.acknowledgement(state.receiver.lastInOrder)
        return BatchHeader(
            from: self.own.peer,
            to: self.id,
            epoch: state.sender.epoch,
            sequence: sequence,
            acknowledgedEpoch: acknowledgement.epoch,
            acknowledged: acknowledgement.sequence
        )
    }

    /// Sends what was gathered.
    func flush() {
        self.state.withLock { state in
            state.isMarked = false
            self.flush(&state)
        }
    }

    private func flush(_ state: inout State) {
        guard let frame = state.frame, state.failure == nil else { return }
        state.frame = nil
        let sequence = state.sender.nextSequence()
        self.header(&state, sequence: sequence).patch(frame.buffer)
        state.receiver.acknowledged()
        let message = OutboundMessage(head: frame.buffer, attachments: frame.attachments)
        state.sender.keep(message, sequence: sequence, at: cmesh_monotonic_nanoseconds())
        if state.unsent == nil, !self.channel.send(message) { state.unsent = sequence }
        self.outbox.traffic.noteSent(message.byteCount)
        // Whoever sends from a thread of its own does so while everything may sleep.
        if state.sender.unacknowledged.count == 1 { self.outbox.noteActivity() }
    }

    /// Sends one message outside of the link's order: it is not numbered, kept or repeated.
    private func sendAside(_ state: inout State, _ write: (WireBuffer) -> Void) {
        let buffer = WireBuffer(capacity: 256)
        self.header(&state, sequence: 0).write(to: buffer)
        write(buffer)
        state.receiver.acknowledged()
        self.outbox.traffic.noteSent(buffer.count)
        _ = self.channel.send(OutboundMessage(head: buffer))
    }

    private func sendAgain(_ state: inout State, from sequence: UInt64) {
        state.unsent = nil
        for kept in state.sender.unacknowledged where kept.sequence >= sequence {
            guard self.channel.send(kept.message) else {
                state.unsent = kept.sequence
                return
            }
        }
    }

    /// Whether it has shown that it can be reached: it has acknowledged something.
    var isConfirmed: Bool { self.state.withLock { $0.sender.hasBeenAcknowledged } }

    // MARK: Receiving

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
        self.sendAside(&state) { $0.writeHello(self.own) }
    }

    /// Sends everything that is not acknowledged once more.
    func resend() { self.state.withLock { self.sendAgain(&$0, from: 0) } }

    /// Answers a probe: says hello, acknowledges, and asks for what is missing.
    func answerProbe(lastSequence: UInt64) {
        self.state.withLock { state in
            let missing = state.receiver.lastInOrder < lastSequence
            self.sendAside(&state) { buffer in
                buffer.writeHello(self.own)
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
                buffer.writeHello(self.own)
                buffer.writeGreeted(number)
            }
        }
    }

    /// Answers a message that was meant for another process.
    func sayMismatch(expected: PeerID) {
        self.state.withLock { state in
            self.sendAside(&state) { buffer in
                buffer.writeHello(self.own)
                buffer.writeMismatch(expected: expected)
            }
        }
    }

    // MARK: Time

    /// Does what is due: retries, acknowledgements, probes.
    ///
    /// - Parameters:
    ///   - isAwaited: whether somebody waits for something that only the peer can give.
    ///   - heartbeat: how long the peer may be silent then before it is asked whether it lives.
    /// - Returns: for how long the peer has been silent although it was asked, and when to come back, nil when nothing
    ///   is under way.
    func tick(now: UInt64, isAwaited: Bool, heartbeat: UInt64) -> (silence: UInt64, next: UInt64?) {
        self.state.withLock { state in
            guard state.failure == nil else { return (0, nil) }
            if let unsent = state.unsent { self.sendAgain(&state, from: unsent) }
            self.flush(&state)
            if state.receiver.owesAcknowledgement { self.sendAside(&state) { _ in } }
            let isUnacknowledged = !state.sender.unacknowledged.isEmpty
            let isWaiting = isAwaited || isUnacknowledged
            let isDue = state.sender.shouldProbe(at: now, timeout: Self.acknowledgementTimeout)
            if state.silence.tick(now: now, isAwaited: isWaiting, heartbeat: heartbeat, isAsked: isDue) {
                let last = state.sender.lastSequence
                self.sendAside(&state) { buffer in
                    buffer.writeHello(self.own)
                    buffer.writeProbe(lastSequence: last)
                }
            }
            let next =
                isUnacknowledged
                ? now + PeerClock.interval : isAwaited ? state.silence.nextTick(after: now, heartbeat: heartbeat) : nil
            return (state.silence.length, next)
        }
    }

    /// Ends the link. Returns false when it had ended before.
    func end(with error: MeshError) -> Bool {
        let awaited = self.state.withLock { state -> [@Sendable () -> Void]? in
            guard state.failure == nil else { return nil }
            state.failure = error
            state.frame = nil
            state.sender = LinkSender(epoch: state.sender.epoch)
            defer { state.awaited = [] }
            return state.awaited.map(\.action)
        }
        guard let awaited else { return false }
        self.channel.close()
        for action in awaited { action() }
        return true
    }

    /// Tells the peer that this process leaves, as its last message.
    func sayGoodbye(reason: String) {
        self.state.withLock { state in
            guard state.failure == nil else { return }
            self.flush(&state)
            self.sendAside(&state) { $0.writeGoodbye(reason: reason) }
        }
    }

    /// Whether a link from the peer is the present one.
    func receives(by epoch: UInt64) -> Bool { self.state.withLock { $0.failure == nil && $0.links.theirs == epoch } }

    /// In words; for tests that fail.
    var diagnosis: String {
        self.state.withLock { state in
            "link \(state.links.own) to \(self.id): sent \(state.sender.lastSequence), unacknowledged "
                + "\(state.sender.unacknowledged.count), not taken \(state.unsent.map(String.init) ?? "none"), "
                + "gathered \(state.frame != nil); link \(state.links.theirs) from it: received "
                + "\(state.receiver.lastInOrder); given up \(state.links.lastGivenUp), silent for "
                + "\(state.silence.length / 1_000_000) ms\(state.failure.map { ", failed: \($0.message)" } ?? "")"
        }
    }

    var failure: MeshError? { self.state.withLock { $0.failure } }

    /// The epoch up to which links from the peer are given up when this one is.
    var lastGivenUp: UInt64 { self.state.withLock { $0.links.lastGivenUp } }
}
