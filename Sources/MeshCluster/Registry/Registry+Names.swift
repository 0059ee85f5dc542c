package import MeshCore
import MeshRuntime

/// Names, each of one actor of its namespace from when it begins to start until it has ended for good.
extension Registry {
    package func find(name: String, namespace: String?) throws(MeshError) -> Entry? {
        let key = try Self.key(name: name, namespace: namespace)
        return self.names[key].flatMap { self.entries[$0] }
    }

    /// Takes the name that an actor asks for.
    ///
    /// - Throws: `nameTaken`, or `invalidArgument` for an empty or overlong name.
    mutating func takeName(of spec: ActorSpec) throws(MeshError) {
        guard let key = try Self.key(of: spec) else { return }
        if let holder = self.names[key], holder != spec.id {
            throw MeshError(
                .nameTaken,
                "The name \"\(key.name)\" in namespace \"\(key.namespace)\" belongs to actor \(holder.short). "
                    + "Choose another, use findOrSpawn, or kill that actor.")
        }
        self.names[key] = spec.id
    }

    mutating func freeName(of spec: ActorSpec) {
        if let key = try? Self.key(of: spec), self.names[key] == spec.id { self.names[key] = nil }
    }

    private static func key(of spec: ActorSpec) throws(MeshError) -> NameKey? {
        guard let name = spec.options.name else { return nil }
        return try self.key(name: name, namespace: spec.options.namespace)
    }

    private static func key(name: String, namespace: String?) throws(MeshError) -> NameKey {
        guard !name.isEmpty else {
            throw MeshError(.invalidArgument, "A name must not be empty; leave it out for an actor without one.")
        }
        guard name.utf8.count <= 512 else {
            throw MeshError(.invalidArgument, "A name has at most 512 bytes, this one has \(name.utf8.count).")
        }
        return NameKey(name: name, namespace: namespace ?? Self.defaultNamespace)
    }
}
