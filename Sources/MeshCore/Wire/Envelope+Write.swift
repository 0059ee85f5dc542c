/// How each envelope is written. What the hot path writes takes its parts one by one, so that nothing is copied twice.
extension WireBuffer {
    package func writeCall(
        _ call: borrowing CallEnvelope,
        arguments: UnsafeRawBufferPointer
    ) {
        self.writeArrayHeader(11)
        self.write(call.isOneWay ? Envelope.Kind.tell : Envelope.Kind.call)
        self.write(call.callID)
        self.write(call.sequence)
        self.write(call.actor)
        self.write(call.incarnation)
        switch call.target {
        case .name(let name): self.write(name)
        case .number(let number): self.write(number)
        }
        self.write(call.microsecondsLeft)
        self.write(call.wantsCredit ? UInt64(1) : 0)
        if let context = call.context { self.write(context) } else { self.writeNil() }
        self.write(call.attachments)
        self.writeBinary(arguments)
    }

    private func write(_ context: CallContextFields) {
        self.writeArrayHeader(5)
        self.writeArrayHeader(context.chain.count)
        for link in context.chain {
            self.writeArrayHeader(2)
            self.write(link.actor)
            self.write(link.method)
        }
        self.writeArrayHeader(context.genericSubstitutions.count)
        for name in context.genericSubstitutions { self.write(name) }
        self.writeArrayHeader(context.trace.count)
        for (key, value) in context.trace.sorted(by: { $0.key < $1.key }) {
            self.writeArrayHeader(2)
            self.write(key)
            self.write(value)
        }
        if let handles = context.handles { self.write(handles) } else { self.writeNil() }
        if let number = context.answeredBelow { self.write(number) } else { self.writeNil() }
    }

    private func write(_ handles: HandlesInTransit) {
        self.writeArrayHeader(1 + handles.actors.count)
        self.write(handles.number)
        for actor in handles.actors { self.write(actor) }
    }

    package func writeReply(
        callID: UInt64, attachments: Int, result: UnsafeRawBufferPointer, handles: HandlesInTransit? = nil
    ) {
        self.writeArrayHeader(handles == nil ? 4 : 5)
        self.write(Envelope.Kind.reply)
        self.write(callID)
        self.write(attachments)
        self.writeBinary(result)
        if let handles { self.write(handles) }
    }

    package func writeFailure(
        callID: UInt64, typeName: String?, attachments: Int, error: UnsafeRawBufferPointer, refusal: CallRefusal? = nil
    ) {
        self.writeArrayHeader(refusal == nil ? 5 : 6)
        self.write(Envelope.Kind.failure)
        self.write(callID)
        self.write(optional: typeName)
        self.write(attachments)
        self.writeBinary(error)
        guard let refusal else { return }
        self.writeArrayHeader(4)
        self.write(refusal.actor)
        self.write(refusal.incarnation)
        self.write(refusal.sequence)
        self.write(refusal.mayHaveRun ? UInt64(1) : 0)
    }

    package func writeCancel(callID: UInt64, actor: UniqueID) {
        self.writeArrayHeader(3)
        self.write(Envelope.Kind.cancel)
        self.write(callID)
        self.write(actor)
    }

    package func writeCredit(_ credit: CreditEnvelope) {
        self.writeArrayHeader(4)
        self.write(Envelope.Kind.credit)
        self.write(credit.actor)
        self.write(credit.incarnation)
        self.write(credit.completed)
    }

    package func writeHello(_ address: PeerAddress, _ features: PeerFeatures = []) {
        self.writeArrayHeader(features.isEmpty ? 6 : 7)
        self.write(Envelope.Kind.hello)
        self.writeFixed(address.peer.number)
        self.write(address.host.text)
        self.write(UInt64(UInt32(bitPattern: address.processID)))
        self.write(address.startTime)
        self.writeArrayHeader(address.endpoints.count)
        for endpoint in address.endpoints { self.write(endpoint) }
        if !features.isEmpty { self.write(features.rawValue) }
    }

    /// Asks for an acknowledgement of everything up to `lastSequence`.
    package func writeProbe(lastSequence: UInt64) {
        self.writeArrayHeader(2)
        self.write(Envelope.Kind.probe)
        self.write(lastSequence)
    }

    /// Asks for everything after the acknowledged message once more.
    package func writeResend() {
        self.writeArrayHeader(1)
        self.write(Envelope.Kind.resend)
    }

    /// Answers a message that was meant for another process.
    package func writeMismatch(expected: PeerID) {
        self.writeArrayHeader(2)
        self.write(Envelope.Kind.mismatch)
        self.write(expected.number)
    }

    /// Asks whoever listens who it is.
    package func writeGreet(_ number: UInt64) {
        self.writeArrayHeader(2)
        self.write(Envelope.Kind.greet)
        self.write(number)
    }

    /// Answers `greet`, after a hello.
    package func writeGreeted(_ number: UInt64) {
        self.writeArrayHeader(2)
        self.write(Envelope.Kind.greeted)
        self.write(number)
    }

    package func writeEnded(_ ended: EndedEnvelope) {
        self.writeArrayHeader(4)
        self.write(Envelope.Kind.ended)
        self.write(ended.actor)
        self.write(ended.incarnation)
        self.write(ended.reason)
    }

    /// Says that this process holds the actors of messages that it has received.
    package func writeHeld(_ numbers: [UInt64]) {
        self.writeArrayHeader(1 + numbers.count)
        self.write(Envelope.Kind.held)
        for number in numbers { self.write(number) }
    }

    package func writeGoodbye(reason: String) {
        self.writeArrayHeader(2)
        self.write(Envelope.Kind.goodbye)
        self.write(reason)
    }
}
