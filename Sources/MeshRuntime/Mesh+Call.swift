import CMeshPlatform
public import Distributed
import FoundationEssentials
import MeshCore
import MeshMessagePack

/// How calls go out.
extension Mesh {
    /// Called by the compiler: begins a call.
    public func makeInvocationEncoder() -> CallEncoder {
        CallEncoder(encoder: self.encoder, buffer: self.buffers.take())
    }

    /// Called by the compiler for a distributed method with a result: delivers the call at most once and suspends
    /// until its result has come.
    ///
    /// - Throws: what the method threw, or a ``MeshError`` when the call did not end by itself.
    public func remoteCall<Act, Err, Res>(
        on actor: Act, target: RemoteCallTarget, invocation: inout CallEncoder, throwing: Err.Type, returning: Res.Type
    ) async throws -> Res where Act: DistributedActor, Act.ID == ActorID, Err: Error, Res: Codable {
        let payload = try await self.call(actor.id.reference, target, invocation)
        guard let payload else { throw AcceptedOneWay() }
        do {
            var offset = 0
            return try self.decoder.decode(
                Res.self, from: payload.bytes, offset: &offset, attachments: payload.attachments)
        } catch {
            throw MeshError(
                .decodingFailed,
                "The result of \(CallTarget.label(of: target)) is no \(Res.self); "
                    + "\(actor.id.reference.label) was built with another version of it.", cause: error)
        }
    }

    /// Called by the compiler for a distributed method without a result; see `remoteCall`.
    public func remoteCallVoid<Act, Err>(
        on actor: Act, target: RemoteCallTarget, invocation: inout CallEncoder, throwing: Err.Type
    ) async throws where Act: DistributedActor, Act.ID == ActorID, Err: Error {
        _ = try await self.call(actor.id.reference, target, invocation)
    }

    /// Makes a call and awaits its outcome; nil for a one-way message, as soon as it has been accepted.
    private func call(
        _ reference: ActorReference, _ target: RemoteCallTarget, _ invocation: CallEncoder
    ) async throws -> Payload? {
        let scope = MeshScope.current
        var policy = self.settings.backPressure
        var isOneWay = false
        var acceptance: PendingResult?
        switch scope?.mode {
        case .tell(let chosen):
            isOneWay = true
            policy = chosen
        case .submit(let waiting):
            acceptance = waiting
            policy = waiting.policy
        case nil: break
        }
        // Calls that nobody awaits cannot close a circle of waiting.
        let chain = isOneWay || acceptance != nil ? [] : scope?.call?.chainForCalls ?? []
        guard chain.count <= CallContextFields.longestChain else {
            throw MeshError(
                .deadlock,
                "\(CallTarget.label(of: target)) of \(reference.label): \(chain.count) calls wait for each other; "
                    + "no more than \(CallContextFields.longestChain) may.")
        }

        let attachments = invocation.buffer.attachments
        if invocation.buffer.bytes.count > 64 << 10 || !attachments.isEmpty {
            try self.checkSize(
                invocation.buffer.bytes.count, attachments, what: "The arguments of \(CallTarget.label(of: target))")
        }
        var context: CallContextFields?
        if !chain.isEmpty || !invocation.genericSubstitutions.isEmpty {
            context = CallContextFields(chain: chain, genericSubstitutions: invocation.genericSubstitutions)
        }
        let call = OutgoingCall(
            mesh: self, reference: reference, target: target, invocation: invocation, attachments: attachments,
            context: context, deadline: scope?.deadline ?? 0, isOneWay: isOneWay)

        let byteCount = attachments.reduce(invocation.buffer.bytes.count) { $0 + $1.count }
        let bytes = byteCount < ActorReference.largeCall ? 0 : byteCount
        do throws(MeshError) {
            try await reference.admit(isOneWay: isOneWay, bytes: bytes, policy: policy)
        } catch {
            throw call.explain(error)
        }
        if isOneWay {
            do throws(MeshError) {
                try call.send(callID: 0)
            } catch {
                reference.release(isOneWay: true, bytes: bytes)
                throw call.explain(error)
            }
            return nil
        }
        defer { reference.release(isOneWay: false, bytes: bytes) }
        return try await self.await(call, acceptance)
    }

    private func await(_ call: OutgoingCall, _ acceptance: PendingResult?) async throws -> Payload {
        let peer = call.reference.location.address.peer
        let callID = self.pending.reserve(for: peer)
        let expiry = call.deadline == 0 ? nil : self.expire(call, callID)
        let outcome = await withTaskCancellationHandler {
            await self.pending.outcome(of: callID) {
                do throws(MeshError) {
                    try call.send(callID: callID, reservedFor: peer)
                } catch {
                    self.pending.complete(callID, with: .broken(error))
                }
                acceptance?.accept()
                // Cancelled before there was anything to cancel.
                if Task.isCancelled { call.cancel(callID: callID) }
            }
        } onCancel: {
            call.cancel(callID: callID)
        }
        if let expiry { self.timers.cancel(expiry) }
        switch outcome {
        case .result(let payload): return payload
        case .failure(let error): throw self.decodeError(error)
        case .broken(let error): throw call.explain(error)
        }
    }

    /// Gives a call up when its deadline passes, wherever it is.
    private func expire(_ call: OutgoingCall, _ callID: UInt64) -> TimerQueue.Token {
        let message = "\(call.label) took longer than its deadline; it may or may not have run."
        return self.schedule(at: call.deadline) { [pending] in
            if pending.complete(callID, with: .broken(MeshError(.deadlineExceeded, message))) {
                call.cancel(callID: callID)
            }
        }
    }

    /// Runs an action at a time of the monotonic clock, on the monitor's thread.
    package func schedule(at time: UInt64, _ action: @escaping @Sendable () -> Void) -> TimerQueue.Token {
        let (token, isNext) = self.timers.schedule(at: time, action)
        if isNext { self.executor.monitor.noteActivity() }
        return token
    }
}

/// A call on its way out.
///
/// `@unchecked Sendable`: the encoded arguments are not written to any more.
struct OutgoingCall: @unchecked Sendable {
    let mesh: Mesh
    let reference: ActorReference
    let target: RemoteCallTarget
    let invocation: CallEncoder
    let attachments: [Data]
    let context: CallContextFields?
    let deadline: UInt64
    let isOneWay: Bool

    /// For people: `Account.deposit(_:) of Account "savings" (1fcc75b5)`.
    var label: String { "\(CallTarget.label(of: self.target)) of \(self.reference.label)" }

    /// - Parameter reserved: the process from which the outcome is expected so far.
    func send(callID: UInt64, reservedFor reserved: PeerID? = nil) throws(MeshError) {
        let now = self.deadline == 0 ? 0 : cmesh_monotonic_nanoseconds()
        if self.deadline != 0, now >= self.deadline {
            throw MeshError(.deadlineExceeded, "Its deadline had passed before it was sent; it has not run.")
        }
        try self.reference.send(isOneWay: self.isOneWay) {
            (sequence, wantsCredit, location, peer) throws(MeshError) in
            // The actor may have moved since.
            if let reserved, reserved != location.address.peer {
                self.mesh.pending.expect(callID, from: location.address.peer)
            }
            guard let peer else {
                return self.deliverHere(callID, sequence, wantsCredit, location)
            }
            let handles = try self.mesh.pin(self.invocation.buffer, to: peer.id)
            let call = CallEnvelope(
                isOneWay: self.isOneWay,
                callID: callID,
                sequence: sequence,
                actor: self.reference.id,
                incarnation: location.incarnation,
                target: .number(0),
                microsecondsLeft: self.deadline == 0 ? 0 : max(1, (self.deadline - now) / 1000),
                wantsCredit: wantsCredit,
                context: handles == nil ? self.context : self.context.with(handles),
                attachments: self.attachments.count
            )
            do throws(MeshError) {
                try self.invocation.buffer.bytes.withUnsafeBytes { bytes throws(MeshError) in
                    try peer.post(call, target: self.target.identifier, arguments: bytes, attachments: self.attachments)
                }
            } catch {
                self.mesh.unpin(handles, to: peer.id)
                throw error
            }
        }
        self.mesh.buffers.give(self.invocation.buffer)
    }

    /// The actor lives in this process: its mailbox is asked directly, with the same bytes.
    private func deliverHere(_ callID: UInt64, _ sequence: UInt64, _ wantsCredit: Bool, _ location: ActorLocation) {
        let call = InboundCall(
            origin: nil,
            callID: callID,
            sequence: sequence,
            isOneWay: self.isOneWay,
            wantsCredit: wantsCredit,
            deadline: self.deadline,
            context: self.context,
            target: self.mesh.targets.target(named: self.target.identifier),
            payload: self.invocation.buffer.bytes.withUnsafeBytes {
                Payload(copying: $0, self.attachments, self.invocation.buffer.leases)
            }
        )
        self.mesh.deliver(call, to: self.reference.id, incarnation: location.incarnation)
    }

    /// Asks for the call to be cancelled where it is. It still ends with an outcome.
    func cancel(callID: UInt64) {
        let location = self.reference.location
        if location.address.peer == self.mesh.address.peer {
            self.mesh.cancel(CallKey(origin: nil, callID: callID), of: self.reference.id)
        } else if let peer = self.mesh.peers.known(location.address.peer) {
            try? peer.post { $0.writeCancel(callID: callID, actor: self.reference.id) }
        }
    }

    /// The same error, with the call and its actor named.
    func explain(_ error: MeshError) -> MeshError {
        MeshError(error.code, "\(self.label): \(error.message)", cause: error.cause)
    }
}
