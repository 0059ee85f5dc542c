public import MeshCore
public import MeshRuntime

/// What the mesh does.
extension Mesh {
    /// What every process of the mesh has done, and the actors in it. Each is asked, for up to a second; those that do
    /// not answer are named in ``MeshRuntime/MeshStatistics/silent``.
    ///
    /// - Throws: `brokerUnavailable`.
    public func statistics() async throws -> MeshStatistics {
        try await self.membership.ask { try await $0.statistics() }
    }

    /// The calls that run or wait anywhere and concern an actor: those to it (of those that wait, the first 100), and
    /// those that it has made and awaits. Processes that do not answer within a second are left out.
    ///
    /// - Throws: `brokerUnavailable`.
    public func calls(concerning actor: UniqueID) async throws -> [CallInfo] {
        try await self.membership.ask { try await $0.calls(concerning: actor) }
    }
}
