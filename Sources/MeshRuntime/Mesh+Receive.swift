import CMeshPlatform
package import Distributed
import FoundationEssentials
import Logging
package import MeshCore
import Synchronization

/// What happens to a message that has arrived. One thread at a time, in the order of arrival.
extension Mesh: MeshExecutorDelegate {
    package func receive(_ message: InboundMessage) {
        var sender = PeerID.anyone
        do {
            var reader = WireReader(message.head)
            let header = try BatchHeader(from: &reader)
            sender = header.from
            guard header.to == self.address.peer || (header.to == .anyone && header.sequence == 0) else {
                return self.refuse(header, &reader)
            }
            let peer: Peer
            if let known = self.peers.known(header.from) {
                peer = known
            } else {
                guard let introduced = try self.introduce(header, &reader) else { return }
                peer = introduced
            }
            let byteCount = message.attachments.reduce(message.head.count) { $0 + $1.count }
            guard peer.accept(header, byteCount: byteCount, now: cmesh_monotonic_nanoseconds()) else { return }
            var attachments = message.attachments[...]
            while !reader.isAtEnd {
                let envelope = try Envelope(from: &reader)
                try self.handle(envelope, from: peer, in: message, &attachments)
            }
        } catch let error as ProtocolMismatch {
            self.badMessages.note(
                MeshError(
                    .protocolMismatch,
                    "A peer speaks version \(error.version) of the protocol, this program \(protocolVersion); "
                        + "build both with the same version."),
                from: sender)
        } catch {
            self.badMessages.note(error, from: sender)
        }
    }

    /// Makes the acquaintance of a process that begins with a hello. Nil when it is one that is known to be gone.
    private func introduce(_ header: BatchHeader, _ reader: inout WireReader) throws -> Peer? {
        var copy = reader
        guard !copy.isAtEnd, case .hello(let address) = try Envelope(from: &copy) else {
            throw WireError("a process that is not known must say hello first")
        }
        guard address.peer == header.from else { throw WireError("a hello in another's name") }
        guard self.peers.ended(address.peer) == nil else { return nil }
        return try self.peers.peer(at: address)
    }

    /// Tells a sender that the process it means is not this one.
    private func refuse(_ header: BatchHeader, _ reader: inout WireReader) {
        guard !reader.isAtEnd, let envelope = try? Envelope(from: &reader), case .hello(let address) = envelope,
            address.peer == header.from, let peer = try? self.peers.peer(at: address)
        else { return self.badMessages.note(WireError("it was meant for \(header.to)"), from: header.from) }
        peer.sayMismatch(expected: header.to)
    }

    private func handle(
        _ envelope: Envelope, from peer: Peer, in message: InboundMessage, _ attachments: inout ArraySlice<Data>
    ) throws {
        func take(_ count: Int) throws -> [Data] {
            guard count <= attachments.count else { throw WireError("frames are missing") }
            guard count > 0 else { return [] }
            defer { attachments = attachments.dropFirst(count) }
            return Array(attachments.prefix(count))
        }
        switch envelope {
        case .call(let call):
            let target = try peer.target(call.target, in: self.targets)
            let payload = Payload(message: message, range: call.arguments, attachments: try take(call.attachments))
            self.deliver(
                InboundCall(
                    origin: peer,
                    callID: call.callID,
                    sequence: call.sequence,
                    isOneWay: call.isOneWay,
                    wantsCredit: call.wantsCredit,
                    deadline: call.microsecondsLeft == 0
                        ? 0 : cmesh_monotonic_nanoseconds() + min(call.microsecondsLeft, 1 << 50) * 1000,
                    context: call.context,
                    target: target,
                    payload: payload
                ),
                to: call.actor, incarnation: call.incarnation)
        case .reply(let reply):
            let payload = Payload(message: message, range: reply.result, attachments: try take(reply.attachments))
            self.pending.complete(reply.callID, from: peer.id, with: .result(payload))
        case .failure(let failure):
            _ = try take(failure.attachments)
            let data = Data(UnsafeRawBufferPointer(rebasing: message.head[failure.error]))
            self.pending.complete(
                failure.callID, from: peer.id, with: .failure(EncodedError(typeName: failure.typeName, data: data)))
        case .cancel(let callID, let actor):
            self.cancel(CallKey(origin: peer.id, callID: callID), of: actor)
        case .credit(let credit):
            self.references.find(credit.actor)?.credit(completed: credit.completed)
        case .ended(let ended):
            self.references.find(ended.actor)?.end(ended, at: peer.id)
        case .hello:
            break
        case .greet(let number):
            peer.answerGreeting(number)
        case .greeted(let number):
            self.greetings.answer(number, from: peer.address)
        case .probe(let lastSequence):
            peer.answerProbe(lastSequence: lastSequence)
        case .resend:
            peer.resend()
        case .mismatch(let expected):
            let message = "Process \(expected) has ended; another one listens at its address."
            self.lost(expected, because: MeshError(.actorDied, message))
        case .goodbye(let reason):
            self.lost(peer.id, because: MeshError(.actorDied, "Process \(peer.address.processID) has left: \(reason)"))
        }
    }

    /// Puts a call into the mailbox of its actor.
    func deliver(_ call: InboundCall, to actor: UniqueID, incarnation: UInt64) {
        guard let hosted = self.hosts.withLock({ $0[actor] }) else {
            let message = "No actor \(actor.short) lives in process \(self.address.processID) (any more)."
            return self.refuse(call, of: actor, incarnation, with: MeshError(.actorDied, message))
        }
        guard incarnation == 0 || incarnation == hosted.incarnation else {
            let message = "The call was meant for an earlier life of \(hosted.label)."
            return self.reply(to: call, with: MeshError(.actorUnavailable, message))
        }
        hosted.enqueue(call)
    }

    func cancel(_ key: CallKey, of actor: UniqueID) {
        self.hosts.withLock { $0[actor] }?.cancel(key)
    }

    // MARK: Peers come and go

    func watch(_ address: PeerAddress) {
        guard address.host == self.address.host else { return }
        do {
            let isAlive = try self.watcher.watch(processID: address.processID, startTime: address.startTime) {
                [weak self] in self?.processEnded(address)
            }
            // Later, because whoever made the acquaintance may hold a lock.
            if !isAlive { _ = self.schedule(at: 1) { [weak self] in self?.processEnded(address) } }
        } catch {
            self.logger.debug("a process cannot be watched", metadata: ["error": "\(error)"])
        }
    }

    private func processEnded(_ address: PeerAddress) {
        self.lost(address.peer, because: MeshError(.actorDied, "Its process \(address.processID) has ended."))
    }

    /// A process is gone for good: calls to it fail, its own calls are cancelled.
    package func lost(_ peer: PeerID, because error: MeshError) {
        guard self.peers.remove(peer, because: error) else { return }
        self.references.end(at: peer, with: error)
        self.pending.completeAll(to: peer, with: error)
        let (hosted, listeners) = (self.hosts.withLock { Array($0.values) }, self.peerClock.listeners)
        for actor in hosted { actor.forget(caller: peer, isDead: error.code == .actorDied) }
        for listener in listeners { listener(peer, error) }
    }

    /// Whether a process is known to be gone.
    package func hasLost(_ peer: PeerID) -> Bool { self.peers.ended(peer) != nil }

    /// The process that a handle leads to.
    package func peer(of actor: some DistributedActor) -> PeerID {
        (actor.id as? ActorID)?.reference.location.address.peer ?? .anyone
    }

    /// Calls `action` when a process that this one talked to is gone.
    package func onPeerLost(_ action: @escaping @Sendable (PeerID, MeshError) -> Void) {
        self.peerClock.listen(action)
    }

    // MARK: Turns and time

    package func flush() { self.outbox.flush() }

    package func tick(now: UInt64, isLast: Bool) -> UInt64? {
        self.outbox.flush()
        let timer = self.timers.run(now: now)
        let peers = self.peerClock.ifDue(now: now, isLast: isLast) { self.tickPeers(now: now) }
        switch (timer, peers) {
        case (nil, let other), (let other, nil): return other
        case (let one?, let other?): return min(one, other)
        }
    }

    /// Looks after every link. Returns when to look again, nil when nothing is under way.
    private func tickPeers(now: UInt64) -> UInt64? {
        let lease = self.settings.leaseTime.nanoseconds
        let heartbeat = self.settings.heartbeatInterval.nanoseconds
        var isBusy = false
        for peer in self.peers.all {
            // The kernel tells when a process of this host ends; a silent one on another host has to be asked.
            let isRemote = peer.address.host != self.address.host
            let isAwaited = isRemote && self.pending.isWaiting(for: peer.id)
            let probe = isAwaited && self.peerClock.shouldProbe(peer.id, now: now, interval: heartbeat)
            let (silence, isWaiting) = peer.tick(now: now, probe: probe)
            if isWaiting || isAwaited { isBusy = true }
            if isRemote, isWaiting || isAwaited, silence > lease {
                let seconds = Double(silence) / 1e9
                self.lost(
                    peer.id,
                    because: MeshError(
                        .actorUnavailable,
                        "Nothing was heard from its process for \(seconds) s; the call may or may not have run."))
            }
        }
        return isBusy ? now + PeerClock.interval : nil
    }
}
