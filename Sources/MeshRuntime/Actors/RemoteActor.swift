public import Distributed
import FoundationEssentials
import MeshCore
import MeshMessagePack

/// An actor that a mesh can spawn in another process.
///
/// An actor without arguments needs nothing but its methods; Swift gives it `init(actorSystem:)`:
///
/// ```swift
/// distributed actor Counter: RemoteActor {
///     private var value = 0
///     distributed func increment() -> Int { value += 1; return value }
/// }
/// ```
///
/// One with arguments names their type `Arguments`, which must be `Codable`, and has an initialiser that takes them.
/// What it throws reaches the one who spawns it. The initialiser may be `async`, for example to spawn children.
///
/// ```swift
/// distributed actor Account: RemoteActor {
///     struct Arguments: Codable, Sendable { var balance: Double }
///     init(_ arguments: Arguments, actorSystem: Mesh) throws { … }
/// }
/// ```
///
/// One call runs at a time, to its end, also when it suspends (see ``ActorOptions/maxConcurrency``).
public protocol RemoteActor: DistributedActor where ActorSystem == Mesh {
    /// What the initialiser takes: a `Codable` type, or `Void` for nothing.
    associatedtype Arguments: Sendable = Void

    /// Makes an actor that takes no arguments.
    init(actorSystem: Mesh) async throws

    /// Makes an actor from its arguments.
    init(_ arguments: Arguments, actorSystem: Mesh) async throws

    /// Runs once before the actor ends in good order: after the last call that it had accepted, and before its process
    /// is ended. Not when it is killed or its process dies. It may take five seconds; then it is cancelled, and the
    /// actor ends all the same. The default does nothing.
    func cleanUp(because cause: ActorTermination.Cause) async

    /// Makes an actor from encoded arguments. Provided; not for you to implement.
    static func make(decoding arguments: EncodedArguments, on mesh: Mesh) async throws -> Self
}

extension RemoteActor {
    /// Nothing to clean up.
    public func cleanUp(because cause: ActorTermination.Cause) async {}
}

/// Arguments on their way to an actor's initialiser.
public struct EncodedArguments: Sendable {
    let value: EncodedValue
    package init(_ value: EncodedValue) { self.value = value }
}

extension RemoteActor where Arguments: Codable {
    /// Not for an actor that takes arguments.
    public init(actorSystem: Mesh) async throws {
        throw MeshError(.invalidArgument, "\(Self.self) takes arguments: pass them to spawn.")
    }

    /// Decodes the arguments and runs the initialiser.
    public static func make(decoding arguments: EncodedArguments, on mesh: Mesh) async throws -> Self {
        let decoded: Arguments
        do {
            decoded = try withExtendedLifetime(arguments) {
                try mesh.decoder.decode(Arguments.self, from: arguments.value.data)
            }
        } catch {
            throw MeshError(
                .decodingFailed, "These are no arguments of \(Self.self); the caller was built with another version.",
                cause: error)
        }
        return try await Self(decoded, actorSystem: mesh)
    }
}

extension RemoteActor where Arguments == Void {
    /// Runs the initialiser without arguments.
    public init(_ arguments: Void, actorSystem: Mesh) async throws { try await self.init(actorSystem: actorSystem) }

    /// Runs the initialiser.
    public static func make(decoding arguments: EncodedArguments, on mesh: Mesh) async throws -> Self {
        try await Self(actorSystem: mesh)
    }
}
