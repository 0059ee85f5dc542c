import CMeshPlatform
package import Distributed
import Logging
package import MeshCore
import Synchronization

/// How actors are held, and how the broker learns of it.
extension Mesh {
    // MARK: Handles

    /// What names an actor in this process: counted, unless the fields say otherwise.
    ///
    /// - Parameter isGranted: whether the broker has counted this process for it already.
    func identify(_ fields: HandleFields, isGranted: Bool = false) -> ActorID {
        let reference = self.references.reference(for: fields, mesh: self)
        if fields.isWeak { return ActorID(reference, .weak) }
        guard fields.isCounted else { return ActorID(reference, .uncounted) }
        return ActorID(reference, .counted(self.lease(for: fields.id, reference, isGranted: isGranted)))
    }

    /// A handle to an actor that is known by its fields. One whose fields are weak keeps nothing alive.
    ///
    /// - Parameter granted: whether the broker has counted this process for it already.
    package func handle<Act: DistributedActor>(
        _ type: Act.Type, _ fields: HandleFields, granted: Bool = false
    ) throws -> Act where Act.ActorSystem == Mesh {
        try Act.resolve(id: self.identify(fields, isGranted: granted), using: self)
    }

    /// The handle that the broker gave.
    ///
    /// - Parameter asked: what `holdsReported` was before the broker was asked.
    package func handle<Act: DistributedActor>(
        _ type: Act.Type, _ handle: GrantedHandle, asked: UInt64
    ) throws -> Act where Act.ActorSystem == Mesh {
        // With a lease the grant has been noted when the answer came.
        let isGranted = handle.lease == nil && handle.fields.isCounted
        let actor = try self.handle(type, handle.fields, granted: isGranted)
        // A complete report that left without this handle may have come after the grant and wiped it out.
        if handle.fields.isCounted, asked != self.holdsReported { self.reportAllHolds() }
        return actor
    }

    /// How often the broker has been told of everything that this process holds.
    package var holdsReported: UInt64 { self.leases.completeReports }

    /// This process's hold on an actor.
    func lease(for actor: UniqueID, _ reference: ActorReference? = nil, isGranted: Bool = false) -> HandleLease {
        let lease = self.leases.lease(for: actor, reference, isGranted: isGranted, on: self)
        self.reportHolds()
        return lease
    }

    /// Whether somebody in this process has a counted handle to an actor.
    package func holds(_ actor: UniqueID) -> Bool { self.leases.holds(actor) }

    // MARK: Handles in messages

    /// A message with handles has arrived.
    func receive(_ handles: HandlesInTransit?, from peer: Peer) -> [HandleLease] {
        guard let handles else { return [] }
        let leases = self.leases.receive(handles, from: peer.id, on: self)
        self.tendHolds()
        return leases
    }

    /// Keeps the actors of a message held until its receiver says that it holds them.
    ///
    /// - Returns: what the message says of its handles; nil when it has none.
    /// - Throws: `tooManyPendingCalls` when the receiver has not answered for too many.
    func pin(_ buffer: CallBuffer, to receiver: PeerID) throws(MeshError) -> HandlesInTransit? {
        guard buffer.carriesHandles else { return nil }
        return try self.pin(buffer.leases, granted: buffer.granted, to: receiver)
    }

    /// The same for the holds of handles that were encoded before.
    ///
    /// - Parameter granted: the actors for which the receiver has been counted already.
    func pin(
        _ leases: [HandleLease], granted: [UniqueID] = [], to receiver: PeerID
    ) throws(MeshError) -> HandlesInTransit? {
        guard granted.isEmpty else { return HandlesInTransit(number: 0, actors: granted) }
        guard !leases.isEmpty else { return nil }
        guard leases.count <= HandlesInTransit.most else {
            throw MeshError(
                .payloadTooLarge,
                "One message carries at most \(HandlesInTransit.most) actors' handles, not \(leases.count).")
        }
        guard let number = self.transits.withLock({ $0.add(leases, to: receiver) }) else {
            throw MeshError(
                .tooManyPendingCalls,
                "Process \(receiver) has not confirmed the handles in \(Transits<HandleLease>.limit) messages; "
                    + "it cannot while the broker is away. Try again when it is back.")
        }
        return HandlesInTransit(number: number, actors: leases.map(\.actor))
    }

    /// How many messages with handles have been sent whose receivers have not answered. For tests.
    package var handlesInTransit: Int { self.transits.withLock { $0.count } }

    /// The processes that have not answered for handles that they were sent.
    var pinning: Set<PeerID> { self.transits.withLock { $0.receivers } }

    /// The holds that an answer carries to a caller in this process.
    func leases(of buffer: CallBuffer) -> [HandleLease] {
        guard buffer.carriesHandles else { return [] }
        return buffer.leases + buffer.granted.map { self.lease(for: $0, isGranted: true) }
    }

    /// The message was not sent.
    func unpin(_ handles: HandlesInTransit?, to receiver: PeerID) {
        guard let handles else { return }
        self.confirmed([handles.number], by: receiver)
    }

    /// A process holds what was in these messages.
    func confirmed(_ numbers: [UInt64], by receiver: PeerID) {
        // What ends here must not do so inside of the lock.
        _ = self.transits.withLock { $0.remove(numbers, to: receiver) }
    }

    /// A process is gone, or nothing is known of it any more: what was sent to it and what it sent need not be held. What
    /// was sent to it only after a while: it may have passed that on before the broker knew that it had it.
    func forgetHandles(of peer: PeerID) {
        self.leases.forget(peer)
        let pins = self.transits.withLock { $0.removeAll(to: peer) }
        guard !pins.isEmpty, !self.isStopped else { return }
        _ = self.schedule(at: cmesh_monotonic_nanoseconds() + Self.graceAfterDeath) { withExtendedLifetime(pins) {} }
    }

    /// How long somebody to whom a dead process has passed a handle may take to say so, in nanoseconds.
    private static let graceAfterDeath: UInt64 = 200_000_000

    // MARK: Telling the broker

    /// Does what follows from handles that came or went.
    func tendHolds() {
        while let work = self.leases.takeWork() {
            for actor in work.draining { self.drain(actor) }
            for (sender, transits) in Dictionary(grouping: work.confirmed, by: \.sender) {
                self.confirm(transits.map(\.number)[...], to: sender)
            }
        }
        self.reportHolds()
    }

    private func confirm(_ numbers: ArraySlice<UInt64>, to sender: PeerID) {
        var rest = numbers
        while !rest.isEmpty {
            let some = Array(rest.prefix(Envelope.mostHeld))
            rest = rest.dropFirst(some.count)
            // A sender that is gone needs no answer.
            try? self.peers.known(sender)?.post(.endOfTurn) { $0.writeHeld(some) }
        }
    }

    /// Waits until everything that was sent to an actor has arrived, so that the news of its last handle, which takes
    /// another way, cannot overtake that.
    private func drain(_ actor: UniqueID) {
        while let hold = self.leases.beginDraining(actor) {
            let peer = self.peers.known(hold.reference.location.address.peer)
            let waits = peer?.whenAcknowledged { [weak self] in
                guard let self else { return }
                if self.leases.drained(hold) { self.drain(actor) }
                self.reportHolds()
            }
            if waits == true || !self.leases.drained(hold) { return }
        }
    }

    /// Has what changed told to the broker, soon: much usually changes at once.
    private func reportHolds() {
        guard self.leases.beginReporting() else { return }
        guard self.directory.withLock({ $0 }) != nil else { return self.settleHolds() }
        self.reportHolds(after: 1_000_000)
    }

    private func reportHolds(after delay: UInt64) {
        _ = self.schedule(at: cmesh_monotonic_nanoseconds() + delay) { [weak self] in
            guard let self, !self.isStopped else { return }
            Task(executorPreference: self.executor) { await self.sendReports() }
        }
    }

    /// Without a directory nobody has to be told.
    private func settleHolds() {
        while self.leases.nextReport() != nil { self.leases.accepted(ended: []) }
        self.tendHolds()
    }

    private func sendReports() async {
        while !self.isStopped {
            guard let directory = self.directory.withLock({ $0 }) else { return self.settleHolds() }
            guard let report = self.leases.nextReport() else { return }
            do {
                let ended = try await directory.report(report)
                let over = Set(self.leases.accepted(ended: ended.map(\.actor)))
                for actor in ended where over.contains(actor.actor) {
                    if actor.actor.owner != nil {
                        self.objects.ended(actor.actor, reason: actor.reason)
                    } else {
                        self.references.find(actor.actor)?.end(with: MeshError(.actorDied, actor.reason))
                    }
                }
            } catch {
                self.logger.debug("the broker did not take a report of handles", metadata: ["error": "\(error)"])
                self.leases.failed()
                return self.reportHolds(after: 200_000_000)
            }
            self.tendHolds()
        }
    }

    /// Asks the broker whether anybody holds objects of this process that it does not hold itself.
    func askForHolders(of objects: [UniqueID]) {
        self.leases.ask(objects)
        self.reportHolds()
    }

    /// Tells the broker of everything that this process holds, in place of what it knew: it has been away, or had given
    /// this process up.
    package func reportAllHolds() {
        self.leases.wantComplete()
        self.leases.ask(self.objects.given)
        self.reportHolds()
    }
}

extension CallContextFields? {
    /// The same with the handles of a message.
    func with(_ handles: HandlesInTransit?) -> CallContextFields {
        var fields = self ?? CallContextFields()
        fields.handles = handles
        return fields
    }
}
