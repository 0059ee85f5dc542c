import Logging
package import MeshCore
package import MeshRuntime

/// What the call path learns from the broker. Everything waits while the broker is away.
extension Membership: MeshDirectory {
    package func locate(
        _ actor: UniqueID, after incarnation: UInt64, hasEnded: Bool
    ) async throws(MeshError) -> ActorLocation {
        try await self.insist { try await $0.locate(actor, after: incarnation, hasEnded: hasEnded) }
    }

    package func report(_ changes: HoldChanges) async throws(MeshError) -> [EndedActor] {
        let (process, node) = (self.mesh.address.peer, self.node)
        return try await self.insist { try await $0.report(changes, by: process, on: node) }
    }

    /// How an actor ended for good; waits until it has.
    package func termination(of actor: UniqueID) async throws(MeshError) -> ActorTermination? {
        try await self.insist { try await $0.termination(of: actor) }
    }

    /// Tells the broker something that it has to know, as soon as it is there.
    package func tellWhenThere(_ message: @escaping @Sendable (Broker) async throws -> Void) async throws {
        try await self.insist { try await message($0) }
    }

    /// Asks the broker until it answers, outside of the deadline and the chain of the call that runs.
    ///
    /// - Throws: what it answers; `cancelled`; `shutDown` when this process leaves its mesh.
    private func insist<Answer: Sendable>(
        _ question: (Broker) async throws -> Answer
    ) async throws(MeshError) -> Answer {
        while true {
            do {
                return try await MeshScope.$current.withValue(nil) { try await self.ask(question) }
            } catch let error as MeshError where error.code == .brokerUnavailable || error.code == .actorUnavailable {
                if self.mesh.isStopped { throw MeshError(.shutDown, "This process has left its mesh.") }
                do {
                    try await Task.sleep(for: .milliseconds(50))
                } catch {
                    throw MeshError(.cancelled, "The wait for the broker was cancelled.")
                }
            } catch let error as MeshError {
                throw error
            } catch {
                throw MeshError(.brokerUnavailable, "The broker failed.", cause: error)
            }
        }
    }
}
