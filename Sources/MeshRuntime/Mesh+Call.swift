import CMeshPlatform
public import Distributed
import FoundationEssentials
import MeshCore
import MeshMessagePack
import Tracing

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
        let payload = try await self.traced(actor.id, target, invocation)
        guard let payload else { throw AcceptedOneWay() }
        // Its bytes and the actors in it must last until they have been read.
        defer { withExtendedLifetime(payload) {} }
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
        _ = try await self.traced(actor.id, target, invocation)
    }

    /// Makes a call, in a span of its own if the program traces.
    private func traced(
        _ actor: ActorID, _ target: RemoteCallTarget, _ invocation: CallEncoder
    ) async throws -> Payload? {
        guard let tracing = self.tracing else { return try await self.call(actor, target, invocation) }
        guard !actor.reference.id.isReserved else {
            return try await self.call(actor, target, invocation, trace: tracing.carried())
        }
        let mode = MeshScope.current?.mode
        let isOneWay = if case .tell = mode { true } else { false }
        let span = tracing.begin(CallTarget.label(of: target), of: actor.reference, isAwaited: !isOneWay)
        defer { span.end() }
        do {
            return try await self.call(actor, target, invocation, trace: tracing.carried(span.context))
        } catch {
            span.fail(error)
            throw error
        }
    }

    /// Makes a call and awaits its outcome; nil for a one-way message, as soon as it has been accepted.
    private func call(
        _ actor: ActorID, _ target: RemoteCallTarget, _ invocation: CallEncoder, trace: [String: String] = [:]
    ) async throws -> Payload? {
        let reference = actor.reference
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
        if !chain.isEmpty || !invocation.genericSubstitutions.isEmpty || !trace.isEmpty {
            context = CallContextFields(
                chain: chain, genericSubstitutions: invocation.genericSubstitutions, trace: trace)
        }
        let byteCount = attachments.reduce(invocation.buffer.bytes.count) { $0 + $1.count }
        var call = OutgoingCall(
            mesh: self, reference: reference, target: target, invocation: invocation, attachments: attachments,
            largeBytes: byteCount < CallWindow.largeCall ? 0 : byteCount, context: context,
            deadline: scope?.deadline ?? 0, isOneWay: isOneWay,
            lease: isOneWay && reference.keepsCalls ? actor.lease : nil)

        do throws(MeshError) {
            try await reference.admit(isOneWay: isOneWay, bytes: call.largeBytes, policy: policy)
        } catch {
            throw call.explain(error)
        }
        guard isOneWay else {
            // One that may have to be sent elsewhere is not bound to the fate of a process until it is sent to one.
            if !reference.keepsCalls { call.expectedFrom = reference.location.address.peer }
            call.number = self.pending.reserve(for: call.expectedFrom)
            return try await self.outcome(of: call, acceptance)
        }
        do throws(MeshError) {
            // One that is kept needs its arguments for longer.
            if try call.send() == nil { self.buffers.give(invocation.buffer) }
        } catch {
            reference.release(isOneWay: true, bytes: call.largeBytes)
            throw call.explain(error)
        }
        return nil
    }

    /// Sends a call and suspends until it has ended.
    private func outcome(of call: OutgoingCall, _ acceptance: PendingResult?) async throws -> Payload {
        let expiry = call.deadline == 0 ? nil : self.expire(call)
        var sequence: UInt64?
        let outcome = await withTaskCancellationHandler {
            await self.pending.outcome(of: call.number) {
                do throws(MeshError) {
                    sequence = try call.send()
                    if sequence == nil { self.buffers.give(call.invocation.buffer) }
                } catch {
                    self.pending.complete(call.number, with: .broken(error))
                }
                acceptance?.accept()
                // Cancelled before there was anything to cancel.
                if Task.isCancelled { call.cancel() }
            }
        } onCancel: {
            call.cancel()
        }
        if let expiry { self.timers.cancel(expiry) }
        call.reference.release(isOneWay: false, bytes: call.largeBytes, sequence: sequence)
        // Nobody sends it again.
        if sequence != nil { self.buffers.give(call.invocation.buffer) }
        switch outcome {
        case .result(let payload): return payload
        case .failure(let error): throw self.decodeError(error)
        case .broken(let error): throw call.explain(error)
        }
    }

    /// Gives a call up when its deadline passes, wherever it is.
    private func expire(_ call: OutgoingCall) -> TimerQueue.Token {
        let message = "\(call.label) took longer than its deadline; it may or may not have run."
        return self.schedule(at: call.deadline) { [pending] in
            // Where it is must be asked before it is not known any more.
            let callID = pending.callID(of: call.number)
            if pending.complete(call.number, with: .broken(MeshError(.deadlineExceeded, message))) {
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
    /// What its arguments take, if that counts.
    let largeBytes: Int
    let context: CallContextFields?
    let deadline: UInt64
    let isOneWay: Bool
    /// Holds the actor while a one-way message may have to wait for it, when its maker does so no more.
    private let lease: HandleLease?
    /// What it is known by among the pending calls; 0 for a one-way message.
    var number: UInt64 = 0
    /// The process from which the outcome was expected before it was sent.
    var expectedFrom: PeerID?

    init(
        mesh: Mesh, reference: ActorReference, target: RemoteCallTarget, invocation: CallEncoder, attachments: [Data],
        largeBytes: Int, context: CallContextFields?, deadline: UInt64, isOneWay: Bool, lease: HandleLease?
    ) {
        self.mesh = mesh
        self.reference = reference
        self.target = target
        self.invocation = invocation
        self.attachments = attachments
        self.largeBytes = largeBytes
        self.context = context
        self.deadline = deadline
        self.isOneWay = isOneWay
        self.lease = lease
    }

    /// For people: `Account.deposit(_:) of Account "savings" (1fcc75b5)`.
    var label: String { "\(CallTarget.label(of: self.target)) of \(self.reference.label)" }

    /// Sends it, or keeps it until its actor has been found.
    ///
    /// - Returns: the number under which its reference keeps it, with its arguments; nil when it does not.
    func send() throws(MeshError) -> UInt64? {
        if self.deadline != 0, cmesh_monotonic_nanoseconds() >= self.deadline {
            throw MeshError(.deadlineExceeded, "Its deadline had passed before it was sent; it has not run.")
        }
        return try self.reference.send(self)
    }

    /// Gives it to the link, or to the mailbox when the actor lives in this process. Called by the reference.
    func post(
        callID: UInt64, sequence: UInt64, wantsCredit: Bool, answeredBelow: UInt64?, to location: ActorLocation,
        _ peer: Peer?
    ) throws(MeshError) {
        var context = self.context
        if let answeredBelow {
            context = context ?? CallContextFields()
            context?.answeredBelow = answeredBelow
        }
        guard let peer else {
            return self.deliverHere(callID, sequence, wantsCredit, context, location)
        }
        let handles = try self.mesh.pin(self.invocation.buffer, to: peer.id)
        if handles != nil { context = context.with(handles) }
        let now = self.deadline == 0 ? 0 : cmesh_monotonic_nanoseconds()
        let call = CallEnvelope(
            isOneWay: self.isOneWay,
            callID: callID,
            sequence: sequence,
            actor: self.reference.id,
            incarnation: location.incarnation,
            target: .number(0),
            microsecondsLeft: self.deadline == 0 ? 0 : self.deadline > now ? max(1, (self.deadline - now) / 1000) : 1,
            wantsCredit: wantsCredit,
            context: context,
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

    /// The actor lives in this process: its mailbox is asked directly, with the same bytes.
    private func deliverHere(
        _ callID: UInt64, _ sequence: UInt64, _ wantsCredit: Bool, _ context: CallContextFields?,
        _ location: ActorLocation
    ) {
        let call = InboundCall(
            origin: nil,
            callID: callID,
            sequence: sequence,
            isOneWay: self.isOneWay,
            wantsCredit: wantsCredit,
            deadline: self.deadline,
            context: context,
            target: self.mesh.targets.target(named: self.target.identifier),
            payload: self.invocation.buffer.bytes.withUnsafeBytes {
                Payload(copying: $0, self.attachments, self.invocation.buffer.leases)
            }
        )
        self.mesh.deliver(call, to: self.reference.id, incarnation: location.incarnation)
    }

    /// Ends the call if it is nowhere, and else asks for it to be cancelled where it is: then it still ends with an
    /// outcome.
    func cancel() {
        if self.reference.keepsCalls, self.reference.cancelWaiting(self) { return }
        self.cancel(callID: self.mesh.pending.callID(of: self.number))
    }

    func cancel(callID: UInt64?) {
        guard let callID else { return }
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
