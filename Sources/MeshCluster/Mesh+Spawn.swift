public import Distributed
import FoundationEssentials
public import MeshCore
public import MeshRuntime

extension Mesh {
    /// Makes an actor from arguments, and gives a handle to it once its initialiser has ended.
    ///
    /// - Throws: what the initialiser threw, as its own type if that is `Codable`; or a ``MeshError``: `nameTaken`,
    ///   `typeNotFound` when no node has the program, `insufficientResources`, `brokerUnavailable`, `payloadTooLarge`.
    ///   The actor does not exist then, and its name is free.
    public func spawn<Act: RemoteActor>(
        _ type: Act.Type, _ arguments: Act.Arguments, options: ActorOptions = ActorOptions()
    ) async throws -> Act where Act.Arguments: Codable {
        try await self.spawn(type, encoded: try self.encode(arguments), options)
    }

    /// Makes an actor that takes no arguments; see `spawn(_:_:options:)`.
    public func spawn<Act: RemoteActor>(
        _ type: Act.Type, options: ActorOptions = ActorOptions()
    ) async throws -> Act where Act.Arguments == Void {
        try await self.spawn(type, encoded: EncodedValue(), options)
    }

    private func spawn<Act: RemoteActor>(
        _ type: Act.Type, encoded arguments: EncodedValue, _ options: ActorOptions
    ) async throws -> Act {
        guard let typeName = _mangledTypeName(type) else {
            throw MeshError(.typeNotFound, "\(type) has no name that another process could find it by.")
        }
        guard options.maxConcurrency > 0 else {
            throw MeshError(.invalidArgument, "maxConcurrency is \(options.maxConcurrency); it must be at least 1.")
        }
        if let window = options.maxPendingCalls, window <= 0 {
            throw MeshError(.invalidArgument, "maxPendingCalls is \(window); it must be at least 1.")
        }
        guard arguments.count <= self.settings.maximumPayload else {
            throw MeshError(
                .payloadTooLarge,
                "The arguments of \(type) take \(arguments.count) bytes; the limit is \(self.settings.maximumPayload).")
        }
        let membership = try self.membership
        let spec = ActorSpec(
            id: .make(), typeName: typeName, displayType: String(reflecting: type), program: membership.program,
            arguments: arguments, options: options,
            window: options.maxPendingCalls ?? self.settings.maxPendingCalls, owner: self.address.peer, incarnation: 1)
        switch try await membership.ask({ try await $0.spawn(spec) }) {
        case .started(let handle): return try self.handle(type, handle)
        case .failed(let error):
            let error = self.decodeError(error)
            guard let remote = error as? RemoteCallError else { throw error }
            // An error that could not travel as itself.
            throw MeshError(
                .constructorFailed, "The initialiser of \(spec.label) threw \(remote.typeName): \(remote.reason)",
                cause: remote)
        }
    }

    /// A handle to the actor with a name.
    ///
    /// - Throws: `actorNotFound` when no living actor has it, `typeNotFound` when it is of another type,
    ///   `brokerUnavailable`.
    public func find<Act: RemoteActor>(
        _ type: Act.Type, named name: String, namespace: String? = nil
    ) async throws -> Act {
        let fields = try await self.membership.ask { try await $0.find(name: name, namespace: namespace) }
        guard let fields else {
            throw MeshError(
                .actorNotFound,
                "No actor is called \"\(name)\" in namespace \"\(namespace ?? Registry.defaultNamespace)\".")
        }
        let wanted = String(reflecting: type)
        guard fields.typeName == wanted else {
            throw MeshError(.typeNotFound, "The actor called \"\(name)\" is a \(fields.typeName), not a \(wanted).")
        }
        return try self.handle(type, fields)
    }

    /// The actor with the name in the options, made from the arguments if there is none. Of several who ask at the
    /// same time one makes it and all get the same; the arguments of the others are not used.
    public func findOrSpawn<Act: RemoteActor>(
        _ type: Act.Type, _ arguments: Act.Arguments, options: ActorOptions
    ) async throws -> Act where Act.Arguments: Codable {
        try await self.findOrSpawn(type, options) { try await self.spawn(type, arguments, options: options) }
    }

    /// The same, with the name beside the options, as `find` has it.
    public func findOrSpawn<Act: RemoteActor>(
        _ type: Act.Type, _ arguments: Act.Arguments, named name: String, namespace: String? = nil,
        options: ActorOptions = ActorOptions()
    ) async throws -> Act where Act.Arguments: Codable {
        try await self.findOrSpawn(type, arguments, options: options.named(name, in: namespace))
    }

    /// The same for an actor that takes no arguments, with the name beside the options.
    public func findOrSpawn<Act: RemoteActor>(
        _ type: Act.Type, named name: String, namespace: String? = nil, options: ActorOptions = ActorOptions()
    ) async throws -> Act where Act.Arguments == Void {
        try await self.findOrSpawn(type, options: options.named(name, in: namespace))
    }

    /// The same for an actor that takes no arguments.
    public func findOrSpawn<Act: RemoteActor>(
        _ type: Act.Type, options: ActorOptions
    ) async throws -> Act where Act.Arguments == Void {
        try await self.findOrSpawn(type, options) { try await self.spawn(type, options: options) }
    }

    private func findOrSpawn<Act: RemoteActor>(
        _ type: Act.Type, _ options: ActorOptions, _ spawn: () async throws -> Act
    ) async throws -> Act {
        guard let name = options.name else {
            throw MeshError(.invalidArgument, "findOrSpawn needs a name in its options.")
        }
        while true {
            do {
                return try await self.find(type, named: name, namespace: options.namespace)
            } catch let error as MeshError where error.code == .actorNotFound {
                do {
                    return try await spawn()
                } catch let error as MeshError where error.code == .nameTaken {
                    // Another was faster; wait for its initialiser.
                    try await self.membership.ask {
                        try await $0.waitUntilStarted(name: name, namespace: options.namespace)
                    }
                }
            }
        }
    }

    /// Ends an actor at once. Calls that wait or run fail with `actorDied`. Ending one that has ended is no error.
    public func kill(_ actor: some DistributedActor) async throws {
        guard let id = actor.id as? ActorID else {
            throw MeshError(.invalidArgument, "\(actor.id) is no actor of a mesh.")
        }
        let isLocal = self.endActor(id.uniqueID, because: MeshError(.actorDied, "\(id) was killed."))
        try await self.membership.ask { try await $0.kill(id.uniqueID) }
        if !isLocal { id.reference.end(with: MeshError(.actorDied, "It was killed.")) }
    }

    /// Ends an actor that is known by its number, whatever its type; see `kill(_:)`.
    public func kill(id: UniqueID) async throws {
        try await self.membership.ask { try await $0.kill(id) }
    }

    /// The actors that live now.
    public func actors() async throws -> [ActorInfo] { try await self.membership.ask { try await $0.actors() } }

    /// The nodes of the mesh.
    public func nodes() async throws -> [NodeInfo] { try await self.membership.ask { try await $0.nodes() } }
}

extension ActorOptions {
    fileprivate func named(_ name: String, in namespace: String?) -> ActorOptions {
        var options = self
        options.name = name
        options.namespace = namespace ?? self.namespace
        return options
    }
}
