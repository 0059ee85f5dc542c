import Distributed
import FoundationEssentials
import Logging
import MeshCore
import MeshMessagePack
import Synchronization
import Tracing

/// How results and errors go back to callers.
extension Mesh {
    /// Sends a method's result.
    ///
    /// - Parameter buffer: where it is encoded; it must be empty, and is not needed afterwards.
    func reply<Success: Codable>(
        to call: InboundCall, with value: Success, from actor: HostedActor, in buffer: CallBuffer
    ) {
        guard !call.isOneWay else { return }
        do {
            try self.encoder.encode(value, into: buffer.bytes, attachments: buffer)
            if buffer.bytes.count > 64 << 10 || !buffer.attachments.isEmpty {
                try self.checkSize(
                    buffer.bytes.count, buffer.attachments, what: "The result of \(call.target.label)")
            }
            self.send(buffer, result: call)
        } catch let error as MeshError {
            self.reply(to: call, with: error)
        } catch {
            let message = "The result of \(call.target.label) of \(actor.label) cannot be encoded."
            self.reply(to: call, with: MeshError(.decodingFailed, message, cause: error))
        }
    }

    /// Sends that a method without a result has ended: a nil.
    func replyVoid(to call: InboundCall, in buffer: CallBuffer) {
        guard !call.isOneWay else { return }
        var null: UInt8 = 0xc0
        withUnsafeBytes(of: &null) { buffer.bytes.append($0) }
        self.send(buffer, result: call)
    }

    /// Sends the mesh's own error.
    func reply(to call: InboundCall, with error: MeshError) {
        guard !call.isOneWay else { return }
        self.send(self.encodeError(error, method: call.target.label), failure: call)
    }

    /// Answers a call that fails because the life of the actor that it was meant for is over, or not here. A one-way
    /// message has no answer, but whoever sent it must stop: nobody would ever give it credit for more.
    ///
    /// - Parameter mayHaveRun: whether it was running; else it has not run and will not.
    func refuse(
        _ call: InboundCall, of actor: UniqueID, _ incarnation: UInt64, with error: MeshError, mayHaveRun: Bool = false
    ) {
        guard !call.isOneWay else {
            let ended = EndedEnvelope(actor: actor, incarnation: incarnation, reason: error.message)
            guard let origin = call.origin else {
                return self.afterwards { $0.references.find(actor)?.end(ended, at: $0.address.peer) }
            }
            try? origin.post(.endOfTurn) { $0.writeEnded(ended) }
            return
        }
        let refusal = CallRefusal(
            actor: actor, incarnation: incarnation, sequence: call.sequence, mayHaveRun: mayHaveRun)
        let error = self.encodeError(error, method: call.target.label)
        guard call.origin == nil else { return self.send(error, failure: call, refusal) }
        self.afterwards { mesh in
            let reference = mesh.references.find(actor)
            if reference?.refuse(refusal, callID: call.callID, from: mesh.address.peer) == true { return }
            mesh.pending.complete(call.callID, from: mesh.address.peer, with: .failure(error))
        }
    }

    /// Does something that takes a reference's lock, which whoever calls a mailbox of this process may hold now.
    private func afterwards(_ body: @escaping @Sendable (Mesh) -> Void) {
        Task.detached(executorPreference: self.executor) { body(self) }
    }

    /// Sends what a method threw: as itself if it is `Codable`, else as a description.
    func reply<Failure: Error>(to call: InboundCall, throwing error: Failure, from actor: HostedActor) {
        actor.mailbox.withLock { $0.noteFailure() }
        MeshScope.current?.call?.span?.fail((error as? CallFailure)?.error ?? error)
        guard !call.isOneWay else {
            self.logger.warning(
                "a one-way message failed; its sender does not hear of it",
                metadata: [
                    "mesh.actor.id": "\(actor.label)", "mesh.method": "\(call.target.label)", "error": "\(error)",
                ])
            return
        }
        switch error {
        case let failure as CallFailure:
            self.reply(to: call, with: failure.error)
        case is ExecuteDistributedTargetError:
            let message =
                "\(actor.label) has no method \(call.target.label); the caller has another version of its type."
            self.reply(to: call, with: MeshError(.typeNotFound, message, cause: error))
        default:
            self.send(self.encodeError(error, method: call.target.label), failure: call)
        }
    }

    /// Sends an answer that was held back or is given again.
    func send(_ answer: CallAnswer, to call: InboundCall) {
        switch answer {
        case .result(let value, let attachments):
            let buffer = CallBuffer()
            value.data.withUnsafeBytes { buffer.bytes.append($0) }
            for attachment in attachments { _ = buffer.attach(attachment) }
            for lease in value.leases { buffer.note(lease) }
            self.send(buffer, result: call)
        case .failure(let error): self.send(error, failure: call)
        }
    }

    private func send(_ buffer: CallBuffer, result call: InboundCall) {
        let attachments = buffer.attachments
        buffer.bytes.withUnsafeBytes { bytes in
            if let slot = call.slot {
                // Their actors are held for as long as the answer may be given again.
                let value = EncodedValue(Data(bytes), leases: self.leases(of: buffer))
                return slot.fill(.result(value, attachments: attachments))
            }
            guard let peer = call.origin else {
                self.pending.complete(
                    call.callID, from: self.address.peer,
                    with: .result(Payload(copying: bytes, attachments, self.leases(of: buffer))))
                return
            }
            do throws(MeshError) {
                let handles = try self.pin(buffer, to: peer.id)
                do throws(MeshError) {
                    try peer.post(attachments: attachments, .endOfTurn) {
                        $0.writeReply(
                            callID: call.callID, attachments: attachments.count, result: bytes, handles: handles)
                    }
                } catch {
                    // A caller that is gone needs no reply.
                    self.unpin(handles, to: peer.id)
                }
            } catch {
                self.reply(to: call, with: error)
            }
        }
        if buffer.carriesHandles { buffer.clear() }
    }

    private func send(_ error: EncodedError, failure call: InboundCall, _ refusal: CallRefusal? = nil) {
        if let slot = call.slot { return slot.fill(.failure(error)) }
        guard let peer = call.origin else {
            self.pending.complete(call.callID, from: self.address.peer, with: .failure(error))
            return
        }
        error.data.withUnsafeBytes { bytes in
            try? peer.post(.endOfTurn) {
                $0.writeFailure(
                    callID: call.callID, typeName: error.typeName, attachments: 0, error: bytes, refusal: refusal)
            }
        }
    }

    func send(_ credit: CreditEnvelope, to origin: Peer?) {
        guard let origin else {
            self.references.find(credit.actor)?.credit(credit, from: self.address.peer)
            return
        }
        try? origin.post(.endOfTurn) { $0.writeCredit(credit) }
    }

    func checkSize(_ count: Int, _ attachments: [Data], what: String) throws(MeshError) {
        let total = attachments.reduce(count) { $0 + $1.count }
        guard total > self.settings.maximumPayload else { return }
        throw MeshError(
            .payloadTooLarge,
            "\(what) would take \(total) bytes; the limit is \(self.settings.maximumPayload). "
                + "Send less at once, or raise `maximumPayload` on both sides.")
    }
}

extension Payload {
    /// Encoded values that stay in this process.
    init(copying bytes: UnsafeRawBufferPointer, _ attachments: [Data], _ leases: [HandleLease]) {
        let copy = WireBuffer(capacity: bytes.count)
        copy.append(bytes)
        self.init(
            message: InboundMessage(head: copy.bytes, attachments: [], owner: copy), range: 0..<bytes.count,
            attachments: attachments, leases: leases)
    }
}

/// An error that a method threw, as it travels. MessagePack: `[type, reason, method, value or nil]`.
struct ThrownError: Encodable {
    var typeName: String
    var reason: String
    var method: String
    var value: (any Encodable)?

    func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.typeName)
        try container.encode(self.reason)
        try container.encode(self.method)
        if let value { try container.encode(AnyEncodable(value)) } else { try container.encodeNil() }
    }
}

/// The same as it is read: as the error itself when this program has its type.
struct ReceivedError: Decodable {
    var error: any Error

    /// Which type to look for: `decoder.userInfo` names it.
    static let typeNameKey = CodingUserInfoKey(rawValue: "mesh.error.type")

    init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        let typeName = try container.decode(String.self)
        let reason = try container.decode(String.self)
        let method = try container.decode(String.self)
        self.error = RemoteCallError(typeName: typeName, reason: reason, method: method)
        guard let key = Self.typeNameKey, let mangled = decoder.userInfo[key] as? String,
            let type = _typeByName(mangled) as? any (Error & Decodable).Type
        else { return }
        // An error that has changed its shape since is still described by its words.
        if let error = try? container.decode(type) { self.error = error }
    }
}
