/// What went wrong in the mesh itself, as opposed to an error that an actor's own method threw.
public struct MeshError: Error, Sendable {
    /// What kind of failure it is.
    public var code: Code
    /// Which actor on which node, and what the caller can do.
    public var message: String
    /// What lies behind it, when something else failed first.
    public var cause: String?
    /// Whether another process told of it. If not, this one made it, so it may well be about the process that it called,
    /// while what a peer tells of can only be about somebody else.
    package private(set) var isFromPeer = false

    /// Makes an error of a kind.
    public init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Makes an error of a kind, with the error behind it.
    public init(_ code: Code, _ message: String, cause: any Error) {
        self.init(code, message, cause: String(describing: cause))
    }
}

extension MeshError: Hashable {
    /// Where an error was made is no part of what it says.
    public static func == (left: MeshError, right: MeshError) -> Bool {
        left.code == right.code && left.message == right.message && left.cause == right.cause
    }

    /// Hashes what it says.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.code)
        hasher.combine(self.message)
        hasher.combine(self.cause)
    }
}

extension MeshError {
    /// The kinds of failure. The number is what travels; it never changes its meaning.
    public struct Code: Hashable, Sendable, RawRepresentable, Codable {
        /// The number on the wire.
        public let rawValue: UInt16

        /// A code by its number; one that this version does not know keeps its number.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// The actor has ended, or its process did, and the call will not run (again).
        public static let actorDied = Code(rawValue: 1)
        /// The actor cannot be reached now; the call may or may not have run.
        public static let actorUnavailable = Code(rawValue: 2)
        /// No actor has that ID or that name.
        public static let actorNotFound = Code(rawValue: 3)
        /// Another living actor of the namespace has that name.
        public static let nameTaken = Code(rawValue: 4)
        /// The program of the process that was asked does not have that actor or task type, or that method.
        public static let typeNotFound = Code(rawValue: 5)
        /// The actor's initialiser failed with an error that could not travel as itself.
        public static let constructorFailed = Code(rawValue: 6)
        /// The deadline passed first; the call may or may not have run.
        public static let deadlineExceeded = Code(rawValue: 7)
        /// The call was cancelled.
        public static let cancelled = Code(rawValue: 8)
        /// The call would wait for an actor that waits for this call.
        public static let deadlock = Code(rawValue: 9)
        /// As many calls as allowed are outstanding, and the caller asked not to wait.
        public static let tooManyPendingCalls = Code(rawValue: 10)
        /// No node could ever give the resources that were asked for.
        public static let insufficientResources = Code(rawValue: 11)
        /// The value cannot be had any more: the process that owned it has ended.
        public static let objectLost = Code(rawValue: 12)
        /// The arguments or the result are larger than the mesh allows.
        public static let payloadTooLarge = Code(rawValue: 13)
        /// The bytes are not what the receiver expected: another version of the type, or damage.
        public static let decodingFailed = Code(rawValue: 14)
        /// The key or the role does not permit it.
        public static let unauthorized = Code(rawValue: 15)
        /// The broker cannot be reached.
        public static let brokerUnavailable = Code(rawValue: 16)
        /// The peer speaks another version of the protocol.
        public static let protocolMismatch = Code(rawValue: 17)
        /// An argument or a setting makes no sense.
        public static let invalidArgument = Code(rawValue: 18)
        /// The system refused something that is needed: a socket, a process, a file.
        public static let systemFailure = Code(rawValue: 19)
        /// A reader of a stream was too slow and was cut off.
        public static let slowConsumer = Code(rawValue: 20)
        /// The mesh, or this process's part of it, is shutting down.
        public static let shutDown = Code(rawValue: 21)
    }
}

extension MeshError.Code: CustomStringConvertible {
    private static let names: [UInt16: String] = [
        1: "actorDied", 2: "actorUnavailable", 3: "actorNotFound", 4: "nameTaken", 5: "typeNotFound",
        6: "constructorFailed", 7: "deadlineExceeded", 8: "cancelled", 9: "deadlock", 10: "tooManyPendingCalls",
        11: "insufficientResources", 12: "objectLost", 13: "payloadTooLarge", 14: "decodingFailed",
        15: "unauthorized", 16: "brokerUnavailable", 17: "protocolMismatch", 18: "invalidArgument",
        19: "systemFailure", 20: "slowConsumer", 21: "shutDown",
    ]

    /// The name of the code, or its number when this version does not know it.
    public var description: String { Self.names[self.rawValue] ?? "code \(self.rawValue)" }
}

extension MeshError: CustomStringConvertible {
    /// `code: message (cause)`.
    public var description: String {
        guard let cause else { return "\(self.code): \(self.message)" }
        return "\(self.code): \(self.message) (\(cause))"
    }
}

extension MeshError: Codable {
    /// Reads code, message and cause.
    public init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        self.code = Code(rawValue: try container.decode(UInt16.self))
        self.message = try container.decode(String.self)
        self.cause = try container.decode(String?.self)
        self.isFromPeer = true
    }

    /// Writes code, message and cause as an array.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(self.code.rawValue)
        try container.encode(self.message)
        try container.encode(self.cause)
    }
}
