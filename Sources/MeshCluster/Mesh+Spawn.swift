import Distributed
import FoundationEssentials
import MeshCore
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
        let supervisor = type as? any Supervisor.Type
        var options = options
        options.supervision = options.supervision ?? supervisor?.supervision
        let spec = ActorSpec(
            id: .make(), typeName: typeName, displayType: _typeName(type), program: membership.program,
            arguments: arguments, options: options,
            window: options.maxPendingCalls ?? self.settings.maxPendingCalls, owner: self.currentOwner,
            isSupervisor: supervisor != nil)
        let holder = self.address.peer
        let asked = self.holdsReported
        switch try await membership.ask({ try await $0.spawn(spec, holder: holder) }) {
        case .started(let handle): return try self.handle(type, handle, asked: asked)
        case .crashed(let reason): throw MeshError(.actorDied, "\(spec.label) died while it was made: \(reason)")
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
    /// One that is being started, or started again, is waited for.
    ///
    /// - Parameter weak: whether the handle does not count: the actor may end although somebody has it.
    /// - Throws: `actorNotFound` when no living actor has it, `typeNotFound` when it is of another type,
    ///   `brokerUnavailable`.
    public func find<Act: RemoteActor>(
        _ type: Act.Type, named name: String, namespace: String? = nil, weak: Bool = false
    ) async throws -> Act {
        let holder = weak ? nil : self.address.peer
        let asked = self.holdsReported
        let handle = try await self.membership.ask {
            try await $0.find(name: name, namespace: namespace, holder: holder)
        }
        guard let handle else {
            throw MeshError(
                .actorNotFound,
                "No actor is called \"\(name)\" in namespace \"\(namespace ?? Registry.defaultNamespace)\".")
        }
        let wanted = String(reflecting: type)
        let found: Act = try self.handle(type, handle, asked: asked)
        guard handle.fields.typeName == wanted else {
            throw MeshError(
                .typeNotFound, "The actor called \"\(name)\" is a \(handle.fields.typeName), not a \(wanted).")
        }
        return found
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
                    // Another was faster; `find` waits for its initialiser.
                }
            }
        }
    }
}

extension ActorOptions {
    fileprivate func named(_ name: String, in namespace: String?) -> ActorOptions {
        var options = self
        options.name = name
        options.namespace = namespace ?? self.namespace
        return options
    }
}
