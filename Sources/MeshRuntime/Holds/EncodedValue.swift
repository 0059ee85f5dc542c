import Distributed
package import FoundationEssentials
package import MeshCore
import MeshMessagePack

/// A value that is encoded where its type is known, and passes through processes that cannot decode it.
///
/// Whoever has it holds the actors whose handles are in it: the process that made it, those that it passes through,
/// and the one that decodes it, until it has. In a process that is no part of a mesh, as one that reads a store, nothing
/// is held.
///
/// MessagePack: `[data, [actor, …]]`.
package struct EncodedValue: Sendable {
    package let data: Data
    /// The actors and objects of which counted handles and references are in the data, without repetition.
    package let actors: [UniqueID]
    /// The holds on them, one for each.
    let leases: [HandleLease]

    private init(_ data: Data, _ actors: [UniqueID], _ leases: [HandleLease]) {
        self.data = data
        self.actors = actors
        self.leases = leases
    }

    /// - Parameter leases: the holds on the actors whose handles are in the data, each once.
    init(_ data: Data, leases: [HandleLease]) { self.init(data, leases.map(\.actor), leases) }

    /// A value without handles.
    package init(_ data: Data = Data()) { self.init(data, leases: []) }

    /// The same value, which holds nobody: for a process that keeps it but will never have it decoded again.
    package var unheld: EncodedValue { EncodedValue(self.data, self.actors, []) }

    /// The same value, which holds its actors, after it was read from a store.
    package func held(on mesh: Mesh) -> EncodedValue {
        EncodedValue(self.data, self.actors, self.actors.map { mesh.lease(for: $0) })
    }

    /// The objects of which references are in it.
    package var objects: [UniqueID] { self.actors.filter { $0.owner != nil } }

    /// How many bytes it takes.
    package var count: Int { self.data.count }
}

extension EncodedValue: Hashable {
    /// Whether both are the same bytes.
    package static func == (one: EncodedValue, other: EncodedValue) -> Bool {
        one.data == other.data && one.actors == other.actors
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(self.data) }
}

extension EncodedValue: Codable {
    package init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self.data = try container.decode(Data.self)
        self.actors = try container.decode([UniqueID].self)
        guard !self.actors.isEmpty, let mesh = decoder.userInfo[.actorSystemKey] as? Mesh else {
            self.leases = []
            return
        }
        self.leases = self.actors.map { mesh.lease(for: $0) }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.data)
        try container.encode(self.actors)
        guard !self.leases.isEmpty, let sink = encoder.handleSink else { return }
        for lease in self.leases { sink.note(lease) }
    }
}
