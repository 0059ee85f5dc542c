/// The bounds that keep what a peer sends from growing this process.
private enum Bounds {
    static let generics = 32
    static let trace = 64
    static let endpoints = 16
    static let attachments = 4096
    static let name = 4096
}

extension Envelope {
    /// Reads the next envelope; the ranges in it refer to the bytes of `reader`.
    package init(from reader: inout WireReader) throws {
        let fields = try reader.readArrayHeader()
        guard fields > 0 else { throw WireError("an empty envelope") }
        let kind = try reader.readUInt()
        func expect(_ count: Int) throws {
            guard fields == count else {
                throw WireError("an envelope of kind \(kind) has \(count) fields, not \(fields)")
            }
        }
        switch kind {
        case Kind.call, Kind.tell:
            try expect(11)
            self = .call(try CallEnvelope(isOneWay: kind == Kind.tell, from: &reader))
        case Kind.reply:
            if fields != 5 { try expect(4) }
            self = .reply(
                ReplyEnvelope(
                    callID: try reader.readUInt(),
                    attachments: try reader.readCount(atMost: Bounds.attachments),
                    result: try reader.readBinaryRange(),
                    handles: fields == 5 ? try HandlesInTransit(from: &reader) : nil
                )
            )
        case Kind.failure:
            if fields != 6 { try expect(5) }
            self = .failure(
                FailureEnvelope(
                    callID: try reader.readUInt(),
                    typeName: try reader.readOptionalString(maximumBytes: Bounds.name),
                    attachments: try reader.readCount(atMost: Bounds.attachments),
                    error: try reader.readBinaryRange(),
                    refusal: fields == 6 ? try CallRefusal(from: &reader) : nil
                )
            )
        case Kind.cancel:
            try expect(3)
            self = .cancel(callID: try reader.readUInt(), actor: try reader.readID())
        case Kind.credit:
            try expect(4)
            self = .credit(
                CreditEnvelope(
                    actor: try reader.readID(),
                    incarnation: try reader.readUInt(),
                    completed: try reader.readUInt()
                )
            )
        case Kind.hello:
            if fields != 7 { try expect(6) }
            let address = try PeerAddress(wire: &reader)
            self = .hello(address, PeerFeatures(rawValue: fields == 7 ? try reader.readUInt() : 0))
        case Kind.probe:
            try expect(2)
            self = .probe(lastSequence: try reader.readUInt())
        case Kind.resend:
            try expect(1)
            self = .resend
        case Kind.mismatch:
            try expect(2)
            self = .mismatch(PeerID(try reader.readUInt()))
        case Kind.greet:
            try expect(2)
            self = .greet(try reader.readUInt())
        case Kind.greeted:
            try expect(2)
            self = .greeted(try reader.readUInt())
        case Kind.goodbye:
            try expect(2)
            self = .goodbye(reason: try reader.readString(maximumBytes: Bounds.name))
        case Kind.ended:
            try expect(4)
            self = .ended(
                EndedEnvelope(
                    actor: try reader.readID(),
                    incarnation: try reader.readUInt(),
                    reason: try reader.readString(maximumBytes: Bounds.name)
                )
            )
        case Kind.held:
            guard fields <= 1 + Self.mostHeld else { throw WireError("\(fields) fields of handles are too many") }
            self = .held(try (1..<fields).map { _ in try reader.readUInt() })
        default:
            guard let note = try SlotNote(kind: kind, fields: fields, from: &reader) else {
                throw WireError("no envelope has the kind \(kind)")
            }
            self = .slot(note)
        }
    }
}

extension CallEnvelope {
    fileprivate init(isOneWay: Bool, from reader: inout WireReader) throws {
        self.isOneWay = isOneWay
        self.callID = try reader.readUInt()
        self.sequence = try reader.readUInt()
        self.actor = try reader.readID()
        self.incarnation = try reader.readUInt()
        self.target =
            reader.isAtUInt
            ? .number(try reader.readUInt()) : .name(try reader.readString(maximumBytes: Bounds.name))
        self.microsecondsLeft = try reader.readUInt()
        self.wantsCredit = try reader.readUInt() & 1 == 1
        self.context = try reader.readNil() ? nil : try CallContextFields(from: &reader)
        self.attachments = try reader.readCount(atMost: Bounds.attachments)
        self.arguments = try reader.readBinaryRange()
    }
}

extension CallContextFields {
    fileprivate init(from reader: inout WireReader) throws {
        guard try reader.readArrayHeader() == 5 else { throw WireError("a context has 5 fields") }
        self.init()
        for _ in 0..<(try reader.readArrayCount(atMost: CallContextFields.longestChain)) {
            guard try reader.readArrayHeader() == 2 else { throw WireError("a chain link has 2 fields") }
            let actor = try reader.readID()
            self.chain.append(ChainLink(actor: actor, method: try reader.readString(maximumBytes: Bounds.name)))
        }
        for _ in 0..<(try reader.readArrayCount(atMost: Bounds.generics)) {
            self.genericSubstitutions.append(try reader.readString(maximumBytes: Bounds.name))
        }
        for _ in 0..<(try reader.readArrayCount(atMost: Bounds.trace)) {
            guard try reader.readArrayHeader() == 2 else { throw WireError("a trace entry has 2 fields") }
            let key = try reader.readString(maximumBytes: Bounds.name)
            self.trace[key] = try reader.readString(maximumBytes: Bounds.name)
        }
        self.handles = try reader.readNil() ? nil : try HandlesInTransit(from: &reader)
        self.answeredBelow = try reader.readNil() ? nil : try reader.readUInt()
    }
}

extension CallRefusal {
    fileprivate init(from reader: inout WireReader) throws {
        guard try reader.readArrayHeader() == 4 else { throw WireError("a refusal has 4 fields") }
        self.init(
            actor: try reader.readID(), incarnation: try reader.readUInt(), sequence: try reader.readUInt(),
            mayHaveRun: try reader.readUInt() & 1 == 1)
    }
}

extension HandlesInTransit {
    fileprivate init(from reader: inout WireReader) throws {
        let count = try reader.readArrayHeader()
        guard count > 0, count <= 1 + Self.most else { throw WireError("\(count) handle fields are none or too many") }
        self.init(number: try reader.readUInt(), actors: [])
        for _ in 1..<count { self.actors.append(try reader.readID()) }
    }
}

extension PeerAddress {
    fileprivate init(wire reader: inout WireReader) throws {
        let peer = PeerID(try reader.readUInt())
        let host = HostID(try reader.readString(maximumBytes: Bounds.name))
        let process = try reader.readUInt()
        let startTime = try reader.readUInt()
        var endpoints: [String] = []
        for _ in 0..<(try reader.readArrayCount(atMost: Bounds.endpoints)) {
            endpoints.append(try reader.readString(maximumBytes: Bounds.name))
        }
        self.init(
            peer: peer,
            host: host,
            processID: Int32(bitPattern: UInt32(truncatingIfNeeded: process)),
            startTime: startTime,
            endpoints: endpoints
        )
    }
}

extension WireReader {
    fileprivate mutating func readCount(atMost bound: Int) throws -> Int {
        let count = try self.readCount()
        guard count <= bound else { throw WireError("\(count) is more than the \(bound) that are allowed here") }
        return count
    }

    fileprivate mutating func readArrayCount(atMost bound: Int) throws -> Int {
        let count = try self.readArrayHeader()
        guard count <= bound else { throw WireError("\(count) is more than the \(bound) that are allowed here") }
        return count
    }
}
