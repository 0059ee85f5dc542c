import Distributed
public import MeshCore

/// Names an actor in the whole mesh, and knows how to reach it.
///
/// A handle has one, and it is what counts: an actor that is not detached lives as long as there is a counted handle,
/// or an ID taken from one, in some process or in a message on its way. The ID that an actor has of itself does not
/// count, so nobody lives because of itself alone; passed on, it is a counted handle for whoever receives it.
///
/// Encoded, it is the actor's number with its type, name and last known address, so that whoever receives it can call
/// the actor without asking the broker. It can be decoded only by a mesh: as an argument, a result, or a field of a
/// task.
public struct ActorID: Hashable, Sendable {
    package let reference: ActorReference
    private let hold: Hold

    /// What it does for the actor's life.
    enum Hold: Sendable {
        /// Holds it.
        case counted(HandleLease)
        /// Nothing, and whoever it is passed to neither.
        case weak
        /// Nothing: it is the actor's own, or one that is not counted.
        case uncounted
    }

    init(_ reference: ActorReference, _ hold: Hold) {
        self.reference = reference
        self.hold = hold
    }

    /// What holds the actor, if this does.
    var lease: HandleLease? { if case .counted(let lease) = self.hold { lease } else { nil } }

    /// The number that tells the actor from all others; the same on every process.
    public var uniqueID: UniqueID { self.reference.id }

    /// The actor's type, as its program names it.
    public var typeName: String { self.reference.typeName }

    /// The name it was spawned with.
    public var name: String? { self.reference.name }

    /// Whether both name the same actor.
    public static func == (one: ActorID, other: ActorID) -> Bool { one.reference.id == other.reference.id }

    /// Feeds the actor's number.
    public func hash(into hasher: inout Hasher) { hasher.combine(self.reference.id) }
}

extension ActorID: CustomStringConvertible {
    /// `Type "name" (first digits of its number)`.
    public var description: String { self.reference.label }
}

/// How a handle travels.
///
/// MessagePack: `[high, low, type, name, window, incarnation, address, retries, flags]`; -1 retries are unlimited, bit 0
/// of the flags says that the actor may be started again, bit 1 that the handle does not count.
package struct HandleFields: Codable, Hashable, Sendable {
    package var id: UniqueID
    package var typeName: String
    package var name: String?
    package var window: Int
    package var location: ActorLocation
    /// How often one call may run again in a later life of the actor.
    package var retries: Limit
    /// Whether there may be a later life.
    package var mayRestart: Bool
    /// Whether the handle keeps nothing alive.
    package var isWeak: Bool

    package init(
        id: UniqueID, typeName: String, name: String?, window: Int, location: ActorLocation, retries: Limit = 0,
        mayRestart: Bool = false, isWeak: Bool = false
    ) {
        self.id = id
        self.typeName = typeName
        self.name = name
        self.window = window
        self.location = location
        self.retries = retries
        self.mayRestart = mayRestart
        self.isWeak = isWeak
    }

    package init(_ reference: ActorReference, isWeak: Bool = false) {
        self.init(
            id: reference.id, typeName: reference.typeName, name: reference.name, window: reference.window,
            location: reference.location, retries: reference.retries, mayRestart: reference.mayRestart, isWeak: isWeak)
    }

    /// Whether a handle with these fields keeps its actor alive. It does not for those that every mesh has, nor for
    /// those that were not spawned and live as their program pleases.
    var isCounted: Bool { !self.isWeak && !self.id.isReserved && self.location.incarnation > 0 }

    package init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        let high = try container.decode(UInt64.self)
        self.id = UniqueID(high: high, low: try container.decode(UInt64.self))
        self.typeName = try container.decode(String.self)
        self.name = try container.decode(String?.self)
        self.window = try container.decode(Int.self)
        let incarnation = try container.decode(UInt64.self)
        self.location = ActorLocation(address: try container.decode(PeerAddress.self), incarnation: incarnation)
        let retries = try container.decode(Int.self)
        self.retries = retries < 0 ? .unlimited : Limit(retries)
        let flags = try container.decode(UInt8.self)
        self.mayRestart = flags & 1 != 0
        self.isWeak = flags & 2 != 0
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.id.high)
        try container.encode(self.id.low)
        try container.encode(self.typeName)
        try container.encode(self.name)
        try container.encode(self.window)
        try container.encode(self.location.incarnation)
        try container.encode(self.location.address)
        try container.encode(self.retries.count ?? -1)
        try container.encode(UInt8((self.mayRestart ? 1 : 0) | (self.isWeak ? 2 : 0)))
    }
}

extension ActorID: Codable {
    /// Reads a handle, inside of what a mesh received.
    ///
    /// - Throws: `DecodingError` when the decoder is not one of a mesh's own.
    public init(from decoder: any Decoder) throws {
        guard let mesh = decoder.userInfo[.actorSystemKey] as? Mesh else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath,
                    debugDescription: "An actor's handle can only be read by a mesh. "
                        + "Pass it as an argument, a result or a task's field, or look the actor up by its name."
                )
            )
        }
        self = mesh.identify(try HandleFields(from: decoder))
    }

    /// Writes the handle, and has its actor held until the receiver does so itself.
    public func encode(to encoder: any Encoder) throws {
        if case .weak = self.hold {
            return try HandleFields(self.reference, isWeak: true).encode(to: encoder)
        }
        let fields = HandleFields(self.reference)
        try fields.encode(to: encoder)
        if fields.isCounted { self.note(in: encoder) }
    }

    private func note(in encoder: any Encoder) {
        guard let sink = encoder.handleSink else { return }
        if case .counted(let lease) = self.hold { return sink.note(lease) }
        // An actor passes itself on.
        guard let mesh = encoder.userInfo[.actorSystemKey] as? Mesh else { return }
        sink.note(mesh.lease(for: self.uniqueID, self.reference))
    }
}
