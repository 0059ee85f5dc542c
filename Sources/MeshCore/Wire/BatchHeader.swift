/// The version of the wire protocol. A peer of another one is refused with `protocolMismatch`.
package let protocolVersion: UInt64 = 1

/// What stands before the envelopes of a message: who sent it to whom, and where it stands in their link.
///
/// MessagePack: `[version, from, to, epoch, sequence, ackEpoch, ackSequence]`, all unsigned integers.
package struct BatchHeader: Hashable, Sendable {
    package var from: PeerID
    /// The process that it is meant for; another one that listens there by now drops it.
    package var to: PeerID
    /// Numbers the links from this process to that one; a new link begins with sequence 1.
    package var epoch: UInt64
    /// Counts the messages of the link that must arrive in order; 0 for one outside of it (probes, acknowledgements).
    package var sequence: UInt64
    /// The last message in order that the sender has from the receiver, and of which of its links.
    package var acknowledgedEpoch: UInt64
    package var acknowledged: UInt64

    package init(
        from: PeerID, to: PeerID, epoch: UInt64, sequence: UInt64, acknowledgedEpoch: UInt64, acknowledged: UInt64
    ) {
        self.from = from
        self.to = to
        self.epoch = epoch
        self.sequence = sequence
        self.acknowledgedEpoch = acknowledgedEpoch
        self.acknowledged = acknowledged
    }

    /// Writes the header with numbers of a fixed size, so that `patch` can change what is known only at the end.
    package func write(to buffer: WireBuffer) {
        buffer.writeArrayHeader(7)
        buffer.write(protocolVersion)
        buffer.writeFixed(self.from.number)
        buffer.writeFixed(self.to.number)
        buffer.writeFixed(self.epoch)
        buffer.writeFixed(self.sequence)
        buffer.writeFixed(self.acknowledgedEpoch)
        buffer.writeFixed(self.acknowledged)
    }

    /// Overwrites the numbers of a header that `write` put at the start of the buffer.
    package func patch(_ buffer: WireBuffer) {
        // An array head, the version, and then numbers of nine bytes, each one head byte and eight of value.
        buffer.patch(bigEndian: self.sequence, at: 30)
        buffer.patch(bigEndian: self.acknowledgedEpoch, at: 39)
        buffer.patch(bigEndian: self.acknowledged, at: 48)
    }

    package init(from reader: inout WireReader) throws {
        let fields = try reader.readArrayHeader()
        let version = try reader.readUInt()
        guard version == protocolVersion else { throw ProtocolMismatch(version: version) }
        guard fields == 7 else { throw WireError("a header has 7 fields, not \(fields)") }
        self.from = PeerID(try reader.readUInt())
        self.to = PeerID(try reader.readUInt())
        self.epoch = try reader.readUInt()
        self.sequence = try reader.readUInt()
        self.acknowledgedEpoch = try reader.readUInt()
        self.acknowledged = try reader.readUInt()
    }
}

/// A peer speaks another version of the protocol.
package struct ProtocolMismatch: Error, Hashable, Sendable {
    package var version: UInt64
}

/// A greeting of a peer that speaks another version. That much stays as it is in all versions, so that the peer can be
/// told: a header that begins with the version, the sender and the receiver, and behind it a `hello`.
package struct ForeignGreeting: Hashable, Sendable {
    package var from: PeerAddress

    /// Reads a message from its beginning; nil when it is no greeting.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        do {
            var reader = WireReader(bytes)
            let fields = try reader.readArrayHeader()
            guard (3...15).contains(fields) else { return nil }
            _ = try reader.readUInt()
            let (from, to) = (PeerID(try reader.readUInt()), PeerID(try reader.readUInt()))
            for _ in 3..<fields { _ = try reader.readUInt() }
            guard to == .anyone, case .hello(let address, _) = try Envelope(from: &reader), address.peer == from else {
                return nil
            }
            self.from = address
        } catch {
            return nil
        }
    }
}
