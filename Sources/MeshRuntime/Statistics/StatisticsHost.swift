package import Distributed
package import MeshCore
import Synchronization

/// Where the broker and the nodes ask a process what it has done.
package distributed actor StatisticsHost: RoleGuarded {
    package typealias ActorSystem = Mesh

    /// How many tasks run here.
    private let tasks: @Sendable () -> Int

    init(actorSystem: Mesh, tasks: @escaping @Sendable () -> Int) {
        self.actorSystem = actorSystem
        self.tasks = tasks
    }

    package distributed func statistics() async throws -> ProcessStatistics {
        self.actorSystem.processStatistics(tasks: self.tasks())
    }

    /// The calls of this process to an actor, and those that it awaits.
    package distributed func calls(concerning actor: UniqueID) async throws -> [CallInfo] {
        self.actorSystem.calls(concerning: actor)
    }

    /// For members alone: others ask the broker.
    package static func permits(_ method: String, to role: MeshRole) -> Bool { false }
}

extension Mesh {
    /// Makes the actor that tells what this process has done, if there is none.
    ///
    /// - Parameter tasks: how many tasks run here.
    package func hostStatistics(tasks: @escaping @Sendable () -> Int) {
        guard !self.hosts(WellKnown.statistics) else { return }
        self.hostService(StatisticsHost.self, as: WellKnown.statistics) {
            StatisticsHost(actorSystem: $0, tasks: tasks)
        }
    }
}
