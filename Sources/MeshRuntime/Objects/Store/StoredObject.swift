package import MeshCore

/// Where a large value lies: a segment of a process's store.
///
/// MessagePack: `[number, maker, store, descriptor, size]`.
package struct StoredObject: Hashable, Sendable {
    /// The segment's number, and the process that made it: together they tell it from every other.
    package var number: UInt64
    package var maker: PeerID
    /// The process that keeps it.
    package var store: PeerAddress
    /// As what that process has it open; other processes of its host map it from there.
    package var descriptor: Int32
    /// How many bytes the segment has.
    package var size: Int

    package init(number: UInt64, maker: PeerID, store: PeerAddress, descriptor: Int32, size: Int) {
        self.number = number
        self.maker = maker
        self.store = store
        self.descriptor = descriptor
        self.size = size
    }
}

extension StoredObject: Codable {
    package init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self.number = try container.decode(UInt64.self)
        self.maker = try container.decode(PeerID.self)
        self.store = try container.decode(PeerAddress.self)
        self.descriptor = try container.decode(Int32.self)
        self.size = try container.decode(Int.self)
        guard self.size >= SegmentLayout.headerSize, self.size < 1 << 50 else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(self.size) bytes are no object.")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.number)
        try container.encode(self.maker)
        try container.encode(self.store)
        try container.encode(self.descriptor)
        try container.encode(self.size)
    }
}
