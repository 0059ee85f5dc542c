package import Distributed
import FoundationEssentials
package import MeshCore

/// Where readers in other processes ask for the elements of this process's streams.
package distributed actor StreamHost {
    package typealias ActorSystem = Mesh

    init(actorSystem: Mesh) { self.actorSystem = actorSystem }

    /// What comes next; waits until there is something, and answers with nothing after a while without.
    package distributed func pull(_ request: StreamRequest) async throws -> EncodedBatch {
        let mesh = self.actorSystem
        guard let stream = mesh.streams.find(request.stream) else {
            throw MeshError(.actorDied, "The stream is over: it has been read to its end, or nobody read it in time.")
        }
        return try await stream.pull(request, peer: CallOrigin.current?.peer, mesh: mesh)
    }

    /// A process has a reader now, which may begin later.
    package distributed func attach(_ stream: UniqueID, reader: UInt64) {
        self.actorSystem.streams.find(stream)?.attach(reader: reader, peer: CallOrigin.current?.peer)
    }

    /// A reader has taken all elements before one.
    package distributed func acknowledge(_ stream: UniqueID, reader: UInt64, upTo number: UInt64) {
        self.actorSystem.streams.find(stream)?.acknowledge(reader: reader, upTo: number)
    }

    /// A reader wants nothing more.
    package distributed func close(_ stream: UniqueID, reader: UInt64) {
        self.actorSystem.streams.find(stream)?.close(reader: reader)
    }
}

extension StreamHost: RoleGuarded {
    /// Whoever knows a stream's ID was given the stream.
    package static func permits(_ method: String, to role: MeshRole) -> Bool { true }
}

/// A reader's question. MessagePack: `[stream, reader, from, credit]`.
package struct StreamRequest: Hashable, Sendable {
    package var stream: UniqueID
    /// Tells the readers of a stream apart: it has one.
    package var reader: UInt64
    /// The first element that is wanted; all before it have been taken.
    package var from: UInt64
    /// How many elements the reader takes at once.
    package var credit: Int
}

extension StreamRequest: Codable {
    package init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self.stream = try container.decode(UniqueID.self)
        self.reader = try container.decode(UInt64.self)
        self.from = try container.decode(UInt64.self)
        self.credit = try container.decode(Int.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.stream)
        try container.encode(self.reader)
        try container.encode(self.from)
        try container.encode(self.credit)
    }
}

/// The answer. MessagePack: `[first, count, elements, is last, error]`; the elements one after the other, as the bytes
/// of an encoded value.
package struct EncodedBatch: Hashable, Sendable {
    package var first: UInt64
    package var count: Int
    package var elements: EncodedValue
    /// Whether the stream ends behind these.
    package var isLast: Bool
    /// The error that it ends with.
    package var error: EncodedError?
}

extension EncodedBatch: Codable {
    package init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self.first = try container.decode(UInt64.self)
        self.count = try container.decode(Int.self)
        self.elements = try container.decode(EncodedValue.self)
        self.isLast = try container.decode(Bool.self)
        self.error = try container.decode(EncodedError?.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.first)
        try container.encode(self.count)
        try container.encode(self.elements)
        try container.encode(self.isLast)
        try container.encode(self.error)
    }
}
