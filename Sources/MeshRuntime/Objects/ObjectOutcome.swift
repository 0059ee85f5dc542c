import FoundationEssentials
import MeshCore
import MeshMessagePack

/// What an object came to, in a process that knows its type.
package enum ObjectOutcome<Value: Codable & Sendable>: Sendable {
    case value(Value)
    case failure(any Error)
    case stored(StoredValue)
}

/// The same where the type is not known: in the table of the objects that others refer to.
package protocol AnyObjectOutcome: Sendable {
    /// What processes are told that ask for the object.
    func answer(on mesh: Mesh) async throws -> PreparedAnswer
}

extension ObjectOutcome: AnyObjectOutcome {
    package func answer(on mesh: Mesh) async throws -> PreparedAnswer {
        switch self {
        case .value(let value):
            // Encoded once: a stream in it can be passed on once.
            return PreparedAnswer(try await mesh.encodeOutcome(value, for: mesh.address.peer), on: mesh)
        case .failure(let error):
            return PreparedAnswer(.failure(mesh.encodeError(error, method: "The work behind an object")))
        case .stored(let stored): return PreparedAnswer(stored)
        }
    }
}

/// A large value that lies in a store, as its owner or whoever refers to it has it. When the owner lets it go, it is
/// freed.
package final class StoredValue: Sendable {
    package let object: StoredObject
    /// Holds the actors and objects in it.
    package let holds: EncodedValue
    private let mesh: Mesh
    private let isOwn: Bool

    /// - Parameter isOwn: whether it is this process's to free.
    package init(_ object: StoredObject, holds: EncodedValue, isOwn: Bool, on mesh: Mesh) {
        self.object = object
        self.holds = holds
        self.isOwn = isOwn
        self.mesh = mesh
        if isOwn { mesh.objects.own(segment: object.number) }
    }

    deinit {
        guard self.isOwn else { return }
        self.mesh.objects.disown(segment: self.object.number)
        self.mesh.free(self.object)
    }

    /// Reads it where it lies, or from a copy when that is another host.
    ///
    /// - Throws: `objectLost` when its store has ended; `decodingFailed` when it is of another type.
    func read<Value: Decodable>(_ type: Value.Type) async throws -> Value {
        try await self.map().read(type, on: self.mesh)
    }

    func map() async throws -> SegmentMapping { try await self.mesh.map(self.object) }
}

extension SegmentMapping {
    func read<Value: Decodable>(_ type: Value.Type, on mesh: Mesh) throws -> Value {
        do {
            var offset = 0
            return try mesh.decoder.decode(
                Value.self, from: self.head, offset: &offset, owner: self, attachments: self.parts)
        } catch {
            throw MeshError(.decodingFailed, "The object is no \(type).", cause: error)
        }
    }
}
