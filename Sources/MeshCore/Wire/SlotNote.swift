/// What two processes of one host say of memory that they share for large values: see *Large values within a host* in
/// the article on the wire protocol.
package enum SlotNote: Hashable, Sendable {
    /// The sender has memory of so many bytes open as a descriptor, for the receiver. MessagePack: `[15, number,
    /// descriptor, capacity]`.
    case offer(UInt64, descriptor: Int32, capacity: Int)
    /// The sender has mapped what the receiver offered, or cannot. MessagePack: `[16, number, 1 or 0]`.
    case mapped(UInt64, Bool)
    /// A large value of the next envelope is in a slot, and no frame. MessagePack: `[17, number, count, index]`.
    case lent(UInt64, count: Int, index: Int)
    /// The sender does not use a slot any more. MessagePack: `[18, number]`.
    case givenUp(UInt64)
}

/// What a process can do that not every one can, as bits in its `hello`.
package struct PeerFeatures: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// It maps memory that processes of its host offer, and reads large values there.
    package static let sharedMemory = PeerFeatures(rawValue: 1)
}

extension WireBuffer {
    package func writeSlot(_ note: SlotNote) {
        switch note {
        case .offer(let number, let descriptor, let capacity):
            self.writeArrayHeader(4)
            self.write(Envelope.Kind.slotOffer)
            self.write(number)
            self.write(UInt64(UInt32(bitPattern: descriptor)))
            self.write(capacity)
        case .mapped(let number, let isMapped):
            self.writeArrayHeader(3)
            self.write(Envelope.Kind.slotMapped)
            self.write(number)
            self.write(isMapped ? UInt64(1) : 0)
        case .lent(let number, let count, let index):
            self.writeArrayHeader(4)
            self.write(Envelope.Kind.slotLent)
            self.write(number)
            self.write(count)
            self.write(index)
        case .givenUp(let number):
            self.writeArrayHeader(2)
            self.write(Envelope.Kind.slotGivenUp)
            self.write(number)
        }
    }
}

extension SlotNote {
    /// Reads what comes after the kind; nil when it is the kind of another envelope.
    init?(kind: UInt64, fields: Int, from reader: inout WireReader) throws {
        func expect(_ count: Int) throws {
            guard fields == count else { throw WireError("an envelope of kind \(kind) with \(fields) fields") }
        }
        switch kind {
        case Envelope.Kind.slotOffer:
            try expect(4)
            self = .offer(
                try reader.readUInt(), descriptor: Int32(try reader.readCount()), capacity: try reader.readCount())
        case Envelope.Kind.slotMapped:
            try expect(3)
            self = .mapped(try reader.readUInt(), try reader.readUInt() == 1)
        case Envelope.Kind.slotLent:
            try expect(4)
            self = .lent(try reader.readUInt(), count: try reader.readCount(), index: try reader.readCount())
        case Envelope.Kind.slotGivenUp:
            try expect(2)
            self = .givenUp(try reader.readUInt())
        default:
            return nil
        }
    }
}
