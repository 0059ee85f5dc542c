import Distributed
public import MeshCore

/// A reference to a value that may not be there yet: what was put into the mesh, or the result of a call or of a task
/// that was submitted.
///
/// It can be awaited any number of times, by any number of tasks, and it can travel: in arguments, results, tasks and
/// other objects. Whoever made it owns the value. The value lives as long as its owner does and anybody in the mesh
/// refers to it; a small one is with its owner, a large one in memory that all processes of its host share, from where
/// others fetch it once for each host.
public struct ObjectRef<Value: Codable & Sendable>: Sendable {
    package let object: PendingObject<Value>

    package init(_ object: PendingObject<Value>) { self.object = object }

    /// The value, as soon as it is there.
    ///
    /// A large value is read where it lies: `Data` in it refers to the shared memory, arrays are copied out of it. Each
    /// time that one is asked for it is read again.
    ///
    /// - Throws: the error that came instead of it; `objectLost` when its owner has ended or cannot be reached;
    ///   `cancelled` when the task that awaits it is cancelled, which does not cancel the work.
    public var value: Value {
        get async throws { try await self.object.value() }
    }

    /// Names the object among all of the mesh.
    public var id: UniqueID { self.object.id }
}

extension ObjectRef: Hashable {
    /// Whether both refer to the same object.
    public static func == (one: ObjectRef, other: ObjectRef) -> Bool { one.id == other.id }
    /// Feeds the object's number.
    public func hash(into hasher: inout Hasher) { hasher.combine(self.id) }
}

extension ObjectRef: CustomStringConvertible {
    /// The type of the value and the first digits of the object's number.
    public var description: String { "ObjectRef<\(Value.self)> (\(self.id.short))" }
}

extension ObjectRef: Codable {
    /// Reads a reference, inside of what a mesh received.
    ///
    /// MessagePack: `[object, owner]`, the object's number and the address of the process that owns it.
    ///
    /// - Throws: `DecodingError` when the decoder is not one of a mesh's own.
    public init(from decoder: any Decoder) throws {
        let mesh = try Self.mesh(
            decoder.userInfo, decoder.codingPath,
            "A reference to an object can only be read by a mesh. Pass it as an argument, a result or a task's field.")
        var container = try decoder.unkeyedContainer()
        let id = try container.decode(UniqueID.self)
        let owner = try container.decode(PeerAddress.self)
        guard id.owner == owner.peer else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "The object belongs to another process.")
        }
        self.init(try mesh.object(id, of: owner, Value.self))
    }

    /// Writes the reference, and has the object held until the receiver does so itself.
    ///
    /// - Throws: `invalidArgument` when the reference is of another mesh than the encoder; `EncodingError` when that is none
    ///   of a mesh's own.
    public func encode(to encoder: any Encoder) throws {
        let mesh = try Self.mesh(
            encoder.userInfo, encoder.codingPath, "A reference to an object can only be passed on by a mesh.")
        let (owner, table) = (self.object.owner ?? mesh.address, self.object.table)
        guard self.id.owner == owner.peer, table == nil || table === mesh.objects else {
            throw MeshError(
                .invalidArgument,
                "\(self) is of another mesh. Get its value, and put that into the mesh it is to go to.")
        }
        var container = encoder.unkeyedContainer()
        try container.encode(self.id)
        try container.encode(owner)
        let lease = mesh.share(self.object)
        encoder.handleSink?.note(lease)
    }

    private static func mesh(
        _ info: [CodingUserInfoKey: Any], _ path: [any CodingKey], _ message: String
    ) throws -> Mesh {
        guard let mesh = info[.actorSystemKey] as? Mesh else {
            throw DecodingError.dataCorrupted(.init(codingPath: path, debugDescription: message))
        }
        return mesh
    }
}
