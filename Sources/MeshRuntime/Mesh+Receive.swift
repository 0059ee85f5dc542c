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
        // Whose message was taken, and will not come again.
        var taken: Peer?
        do {
            var reader = WireReader(message.head)
            let header = try BatchHeader(from: &reader)
            sender = header.from
            if let key = message.key { try self.check(header.from, cameBy: key) }
            guard header.to == self.address.peer || (header.to == .anyone && header.sequence == 0) else {
                return self.refuse(header, &reader)
            }
            let peer: Peer
            if let known = self.peers.known(header.from) {
                peer = known
            } else if let address = self.peers.silent(header.from) {
                peer = try self.peers.peer(at: address)
            } else {
                guard let introduced = try self.introduce(header, &reader) else { return }
                peer = introduced
            }
            let byteCount = message.attachments.reduce(message.head.count) { $0 + $1.count }
            self.outbox.traffic.noteReceived(byteCount)
            guard let peer = try self.accept(header, from: peer, byteCount: byteCount) else { return }
            var values = IncomingValues(frames: message.attachments)
            if header.sequence > 0 { taken = peer }
            while !reader.isAtEnd {
                let envelope = try Envelope(from: &reader)
                try self.handle(envelope, from: peer, by: header.epoch, in: message, &values)
            }
            try values.finish()
        } catch let error as ProtocolMismatch {
            self.greetings.noteVersion(error.version)
            self.badMessages.note(
                MeshError(
                    .protocolMismatch,
                    "A peer speaks version \(error.version) of the protocol, this program \(protocolVersion); "
                        + "build both with the same version."),
                from: sender)
            if let greeting = ForeignGreeting(message.head) { self.answer(greeting) }
        } catch {
            self.badMessages.note(error, from: sender)
            // Whoever waits for what it carried would do so for ever.
            if let taken {
                let process = taken.address.processID
                let message = "Process \(process) sent what makes no sense; the call may or may not have run."
                self.giveUp(taken, because: MeshError(.actorUnavailable, message))
            }
        }
    }

    /// Nobody speaks in the name of a process with another key, or with one that was revoked.
    private func check(_ sender: PeerID, cameBy key: KeyIdentity) throws {
        guard sender.belongs(to: key) else { throw WireError("a key of \(key) cannot speak for process \(sender)") }
        if key != .member, self.revokedKeys.withLock({ $0.contains(key) }) {
            throw WireError("the key of \(key) was revoked")
        }
    }

    /// Looks whether a message is to be read. Returns the peer that it came from, which may have begun anew, or nil.
    private func accept(_ header: BatchHeader, from peer: Peer, byteCount: Int) throws -> Peer? {
        let now = cmesh_monotonic_nanoseconds()
        switch peer.accept(header, byteCount: byteCount, now: now) {
        case .read: return peer
        case .drop: return nil
        case .readAnew:
            self.outbox.traffic.noteReconnect()
            self.forgetCalls(of: peer.id, mayComeAgain: true)
            return peer
        case .forgotten:
            let message = "Its process had heard nothing of this one and gave it up; the call may or may not have run."
            self.giveUp(peer, because: MeshError(.actorUnavailable, message))
            let next = try self.peers.peer(at: peer.address)
            guard case .read = next.accept(header, byteCount: byteCount, now: now) else { return nil }
            return next
        }
    }

    /// Makes the acquaintance of a process that begins with a hello. Nil when it is one that is known to be gone.
    private func introduce(_ header: BatchHeader, _ reader: inout WireReader) throws -> Peer? {
        guard self.peers.ended(header.from) == nil else { return nil }
        var copy = reader
        guard !copy.isAtEnd, case .hello(let address, _) = try Envelope(from: &copy) else {
            throw WireError("a process that is not known must say hello first")
        }
        guard address.peer == header.from else { throw WireError("a hello in another's name") }
        return try self.meet(address)
    }

    /// The peer at an address that somebody says to have; of those who never answer there are only so many.
    private func meet(_ address: PeerAddress) throws(MeshError) -> Peer {
        if let known = self.peers.known(address.peer) { return known }
        let peer = try self.peers.peer(at: address)
        for stranger in self.peers.noteStranger(address.peer) {
            self.giveUp(
                stranger, because: MeshError(.actorUnavailable, "Its process never answered, and others came."))
        }
        return peer
    }

    /// Tells a sender that the process it means is not this one.
    private func refuse(_ header: BatchHeader, _ reader: inout WireReader) {
        guard !reader.isAtEnd, let envelope = try? Envelope(from: &reader), case .hello(let address, _) = envelope,
            address.peer == header.from, self.peers.ended(header.from) == nil, let peer = try? self.meet(address)
        else {
            // Usual after a restart at the same address: counted, but nobody's fault.
            return self.badMessages.count(WireError("it was meant for \(header.to)"), from: header.from)
        }
        peer.sayMismatch(expected: header.to)
    }

    private func handle(
        _ envelope: Envelope, from peer: Peer, by link: UInt64, in message: InboundMessage,
        _ values: inout IncomingValues
    ) throws {
        switch envelope {
        case .call(let call):
            let target = try peer.target(call.target, in: self.targets)
            let payload = Payload(
                message: message, range: call.arguments, attachments: try values.take(call.attachments),
                leases: self.receive(call.context?.handles, from: peer))
            self.deliver(
                InboundCall(
                    origin: peer,
                    link: link,
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
            let payload = Payload(
                message: message, range: reply.result, attachments: try values.take(reply.attachments),
                leases: self.receive(reply.handles, from: peer))
            self.pending.complete(reply.callID, from: peer.id, with: .result(payload))
        case .failure(let failure):
            _ = try values.take(failure.attachments)
            if let refusal = failure.refusal, let reference = self.references.find(refusal.actor),
                reference.refuse(refusal, callID: failure.callID, from: peer.id)
            {
                return
            }
            let data = Data(UnsafeRawBufferPointer(rebasing: message.head[failure.error]))
            self.pending.complete(
                failure.callID, from: peer.id, with: .failure(EncodedError(typeName: failure.typeName, data: data)))
        case .cancel(let callID, let actor):
            self.cancel(CallKey(origin: peer.id, callID: callID), of: actor)
        case .credit(let credit):
            self.references.find(credit.actor)?.credit(credit, from: peer.id)
        case .ended(let ended):
            self.references.find(ended.actor)?.end(ended, at: peer.id)
        case .held(let numbers):
            self.confirmed(numbers, by: peer.id)
        case .hello(_, let features):
            peer.note(features)
        case .slot(.offer(let number, let descriptor, let capacity)):
            do throws(WireError) {
                try peer.map(number, descriptor: descriptor, capacity: capacity)
            } catch {
                self.badMessages.note(error, from: peer.id)
            }
        case .slot(let note):
            if let value = try peer.heed(note) { try values.add(value.data, at: value.index) }
        case .greet(let number):
            peer.answerGreeting(number)
        case .greeted(let number):
            self.greetings.answer(number, from: peer.address)
        case .probe(let lastSequence):
            peer.answerProbe(lastSequence: lastSequence)
        case .resend:
            peer.resend()
        case .mismatch(let expected):
            // What an address says of itself is worth nothing: only a member can listen where a member did.
            guard peer.id.role == .member else {
                throw WireError("it cannot know that process \(expected) has ended")
            }
            let message = "Process \(expected) has ended; another one listens at its address."
            self.lost(expected, because: MeshError(.actorDied, message))
        case .goodbye(let reason):
            self.lost(peer.id, because: MeshError(.actorDied, "Process \(peer.address.processID) has left: \(reason)"))
        }
    }

    /// Puts a call into the mailbox of its actor.
    func deliver(_ call: InboundCall, to actor: UniqueID, incarnation: UInt64) {
        if let hosted = self.hosted(actor, called: incarnation) { return hosted.enqueue(call) }
        switch self.births.arrive(call, to: actor, incarnation: incarnation) {
        case .waits: return
        case .deadlock(let method):
            let message =
                "\(call.target.label) of \(actor.short) waits until the actor is made, and \(method) waits for this call."
            return self.reply(to: call, with: MeshError(.deadlock, message))
        case .unknown: break
        }
        // Its initialiser may have ended in the meantime.
        if let hosted = self.hosted(actor, called: incarnation) { return hosted.enqueue(call) }
        if let hosted = self.hosts.withLock({ $0[actor] }) {
            let message = "The call was meant for an earlier life of \(hosted.label)."
            return self.refuse(call, of: actor, incarnation, with: MeshError(.actorUnavailable, message))
        }
        let message = "No actor \(actor.short) lives in process \(self.address.processID) (any more)."
        self.refuse(call, of: actor, incarnation, with: MeshError(.actorDied, message))
    }

    /// The actor that is called; 0 stands for any life of it.
    private func hosted(_ actor: UniqueID, called incarnation: UInt64) -> HostedActor? {
        guard let hosted = self.hosts.withLock({ $0[actor] }) else { return nil }
        return incarnation == 0 || incarnation == hosted.incarnation ? hosted : nil
    }

    func cancel(_ key: CallKey, of actor: UniqueID) {
        if let call = self.births.cancel(key, of: actor) {
            let message = "\(call.target.label) of \(actor.short) was cancelled before the actor was made."
            return self.reply(to: call, with: MeshError(.cancelled, message))
        }
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

    /// A process is gone for good: calls to it fail unless their actors live on elsewhere, its own calls are cancelled.
    package func lost(_ peer: PeerID, because error: MeshError) {
        guard self.peers.remove(peer, because: error) else { return }
        // Not those that were about to be sent there, and wait for another life now.
        let calls = self.pending.waiting(for: peer)
        self.references.lose(at: peer, hasEnded: true, because: error)
        self.pending.complete(calls, with: error)
        self.forgetHandles(of: peer)
        self.forgetCalls(of: peer, mayComeAgain: false)
        for listener in self.peerClock.listeners { listener(peer, error) }
    }

    /// Nothing is known of a process any more, which may live all the same: calls to it fail as unavailable, unless they
    /// may be sent again, and its own calls are cancelled. The next contact, from either side, begins new links.
    package func giveUp(_ peer: Peer, because error: MeshError) {
        guard self.peers.giveUp(peer, because: error) else { return }
        self.outbox.traffic.noteReconnect()
        // What is found again at once is sent to the same process, and is not to fail with the others.
        let calls = self.pending.waiting(for: peer.id)
        self.references.lose(at: peer.id, hasEnded: false, because: error)
        self.pending.complete(calls, with: error)
        self.forgetHandles(of: peer.id)
        self.forgetCalls(of: peer.id, mayComeAgain: true)
        for listener in self.peerClock.listeners { listener(peer.id, error) }
    }

    /// Nobody waits for the calls that a process has made.
    ///
    /// - Parameter mayComeAgain: whether those that may be sent again go on, because their duplicates will be answered.
    private func forgetCalls(of peer: PeerID, mayComeAgain: Bool) {
        let hosted = self.hosts.withLock { Array($0.values) }
        for actor in hosted { actor.forget(caller: peer, mayComeAgain: mayComeAgain) }
        self.births.forget(caller: peer, mayComeAgain: mayComeAgain)
    }

    /// Whether a process is known to have ended.
    package func hasEnded(_ peer: PeerID) -> Bool { self.peers.ended(peer) != nil }

    /// Whether a process is known to be gone, or was given up and has not been heard of or called since.
    package func hasLost(_ peer: PeerID) -> Bool {
        self.peers.ended(peer) != nil || self.peers.silent(peer) != nil
    }

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

    /// Whether a silent process is to be given up. One of this host that only has to wait for a processor is given more
    /// time than one that was stopped.
    private func isLost(_ peer: Peer, after silence: UInt64, _ lease: UInt64) -> Bool {
        peer.address.host != self.address.host || silence > ProcessStatus.patienceWithBusy * lease
            || ProcessStatus.isStopped(peer.address.processID)
    }

    /// Looks after every link. Returns when to look again, nil when nothing is under way.
    private func tickPeers(now: UInt64) -> UInt64? {
        let lease = self.settings.leaseTime.nanoseconds
        let heartbeat = self.settings.heartbeatInterval.nanoseconds
        var next: UInt64?
        let awaited = self.pending.awaited.union(self.pinning)
        for peer in self.peers.all {
            let (silence, due) = peer.tick(now: now, isAwaited: awaited.contains(peer.id), heartbeat: heartbeat)
            guard let due else { continue }
            next = min(next ?? due, due)
            // That a process of this host ends the kernel tells, but not that it was stopped.
            if silence > lease, self.isLost(peer, after: silence, lease) {
                let seconds = Double(silence / 100_000_000) / 10
                let message =
                    "Nothing was heard from its process for \(seconds) s; the call may or may not have run."
                self.giveUp(peer, because: MeshError(.actorUnavailable, message))
            }
        }
        return next
    }
}
