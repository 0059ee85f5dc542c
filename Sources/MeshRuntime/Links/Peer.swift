import CMeshPlatform
import DequeModule
import FoundationEssentials
package import MeshCore
import Synchronization

/// Another process, and the link to it: what is gathered for it, sent, acknowledged, and received from it.
package final class Peer: Sendable {
    package let id: PeerID
    package let address: PeerAddress
    let own: PeerAddress
    let features: PeerFeatures
    private let outbox: PeerOutbox
    private let channel: any TransportChannel
    let state: Mutex<State>
    /// The memory through which large values go to the peer.
    let lent: LentSlots
    /// The memory through which large values come from it.
    let borrowed = BorrowedSlots()

    struct State {
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
    struct Frame {
        var buffer: WireBuffer
        var attachments: [Data] = []
    }

    /// From so many bytes on, a frame is sent at once.
    private static let frameSize = 8 << 10
    /// How long to wait for an acknowledgement before asking for it, and between two requests for what is missing.
    static let acknowledgementTimeout: UInt64 = 200_000_000
    /// How long to wait before a peer is told again that its link has been given up.
    static let tellInterval: UInt64 = 20_000_000

    /// - Parameters:
    ///   - links: the links between the processes, of which the one to the peer begins now.
    ///   - features: what this process tells the peer that it can do.
    ///   - sharedMemory: what all peers together may have of this process's memory.
    init(
        address: PeerAddress, own: PeerAddress, links: LinkPair, channel: any TransportChannel, outbox: PeerOutbox,
        features: PeerFeatures, _ sharedMemory: SharedMemoryBudget
    ) {
        self.id = address.peer
        self.address = address
        self.own = own
        self.features = features
        self.lent = LentSlots(of: own.peer, for: address.peer, sharedMemory)
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
        let values = self.lent.carry(attachments)
        try self.state.withLock { state throws(MeshError) in
            if let failure = state.failure { throw failure }
            self.add(values, to: &state, urgency) { buffer, _ in write(buffer) }
        }
        if !values.notes.isEmpty { self.lent.sent(values) }
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
        let values = self.lent.carry(attachments)
        try self.state.withLock { state throws(MeshError) in
            if let failure = state.failure { throw failure }
            self.add(values, to: &state, .whenQuiet) { buffer, targets in
                if let number = targets[target] {
                    call.target = .number(number)
                } else {
                    targets[target] = UInt64(targets.count)
                    call.target = .name(target)
                }
                buffer.writeCall(call, arguments: arguments)
            }
        }
        if !values.notes.isEmpty { self.lent.sent(values) }
    }

    @inline(__always)
    private func add(
        _ values: OutgoingValues, to state: inout State, _ urgency: Urgency,
        write: (WireBuffer, inout [String: UInt64]) -> Void
    ) {
        var frame = state.frame ?? Frame(buffer: self.makeBuffer(&state))
        state.frame = nil
        if !values.isEmpty {
            values.writeNotes(to: frame.buffer)
            frame.attachments.append(contentsOf: values.frames)
        }
        write(frame.buffer, &state.targets)
        let isFull = frame.buffer.count >= Self.frameSize || !values.isEmpty
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
            buffer.writeHello(self.own, self.features)
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

    func flush(_ state: inout State) {
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
    func sendAside(_ state: inout State, _ write: (WireBuffer) -> Void) {
        let buffer = WireBuffer(capacity: 256)
        self.header(&state, sequence: 0).write(to: buffer)
        write(buffer)
        state.receiver.acknowledged()
        self.outbox.traffic.noteSent(buffer.count)
        _ = self.channel.send(OutboundMessage(head: buffer))
    }

    func sendAgain(_ state: inout State, from sequence: UInt64) {
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

    // MARK: Time

    /// Does what is due: retries, acknowledgements, probes.
    ///
    /// - Parameters:
    ///   - isAwaited: whether somebody waits for something that only the peer can give.
    ///   - heartbeat: how long the peer may be silent then before it is asked whether it lives.
    /// - Returns: for how long the peer has been silent although it was asked, and when to come back, nil when nothing
    ///   is under way.
    func tick(now: UInt64, isAwaited: Bool, heartbeat: UInt64) -> (silence: UInt64, next: UInt64?) {
        let slots = self.lent.tick(now: now)
        return self.state.withLock { state in
            guard state.failure == nil else { return (0, nil) }
            if !slots.notes.isEmpty {
                self.add(OutgoingValues(notes: slots.notes), to: &state, .endOfTurn) { _, _ in }
            }
            if let unsent = state.unsent { self.sendAgain(&state, from: unsent) }
            self.flush(&state)
            if state.receiver.owesAcknowledgement { self.sendAside(&state) { _ in } }
            let isUnacknowledged = !state.sender.unacknowledged.isEmpty
            let isWaiting = isAwaited || isUnacknowledged
            let isDue = state.sender.shouldProbe(at: now, timeout: Self.acknowledgementTimeout)
            if state.silence.tick(now: now, isAwaited: isWaiting, heartbeat: heartbeat, isAsked: isDue) {
                self.probe(&state)
            }
            let next =
                isUnacknowledged
                ? now + PeerClock.interval : isAwaited ? state.silence.nextTick(after: now, heartbeat: heartbeat) : nil
            return (state.silence.length, [next, slots.next].compactMap { $0 }.min())
        }
    }

    /// Asks the peer for what it has received.
    private func probe(_ state: inout State) {
        let last = state.sender.lastSequence
        self.sendAside(&state) { buffer in
            buffer.writeHello(self.own, self.features)
            buffer.writeProbe(lastSequence: last)
        }
    }

    /// Sends what was gathered, and asks for its acknowledgement, which otherwise has time.
    func hasten() {
        self.state.withLock { state in
            self.flush(&state)
            if state.failure == nil, !state.sender.unacknowledged.isEmpty { self.probe(&state) }
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
        self.lent.end()
        self.borrowed.forgetAll()
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
