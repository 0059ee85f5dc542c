import ActorMesh

/// Keeps nothing. A broker with a store promises to come back with what it knows, so that its nodes wait for it; this is
/// for tests whose broker never ends.
struct ForgetfulRegistryStore: RegistryStore {
    func open() async throws -> StoredRegistry { StoredRegistry() }

    func write(_ changes: RegistryChanges) async throws {}
}
